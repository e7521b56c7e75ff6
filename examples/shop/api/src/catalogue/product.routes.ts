import { Router } from 'express';
import { cached } from '../cache.js';
import { HttpError } from '../http/errors.js';
import { isSortOrder } from './product.js';
import { findBySku, listProducts, searchDescriptions, searchProducts } from './product.repository.js';
import { searchTerms } from './search-terms.js';

export function productRoutes(): Router {
  const router = Router();

  router.get('/', async (request, response, next) => {
    try {
      const order = isSortOrder(request.query.sort) ? request.query.sort : 'title';
      response.json(await cached(`products:${order}`, 30, () => listProducts(order, 100)));
    } catch (error) {
      next(error);
    }
  });

  router.get('/search', async (request, response, next) => {
    try {
      const words = searchTerms(String(request.query.q ?? '')).join(' ');
      const [titles, descriptions] = await Promise.all([searchProducts(words), searchDescriptions(words)]);
      response.json({ titles, descriptions });
    } catch (error) {
      next(error);
    }
  });

  router.get('/:sku', async (request, response, next) => {
    try {
      const product = await findBySku(request.params.sku);
      if (!product) throw new HttpError(404, 'no such product');
      response.json(product);
    } catch (error) {
      next(error);
    }
  });

  return router;
}
