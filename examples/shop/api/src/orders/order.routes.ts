import { Router } from 'express';
import { accountOf } from '../accounts/session.js';
import { findBySku, takeFromStock } from '../catalogue/product.repository.js';
import { HttpError } from '../http/errors.js';
import { enqueue } from '../queue/jobs.js';
import type { OrderLine } from './order.js';
import { ordersOf, placeOrder } from './order.repository.js';

export function orderRoutes(): Router {
  const router = Router();

  router.get('/', async (request, response, next) => {
    try {
      const account = await accountOf(request.cookies.sid);
      if (!account) throw new HttpError(401, 'log in first');
      response.json(await ordersOf(account));
    } catch (error) {
      next(error);
    }
  });

  router.post('/', async (request, response, next) => {
    try {
      const account = await accountOf(request.cookies.sid);
      if (!account) throw new HttpError(401, 'log in first');
      const wanted = request.body as { sku: string; count: number }[];
      const lines: OrderLine[] = [];
      for (const { sku, count } of wanted) {
        const product = await findBySku(sku);
        if (!product || !(await takeFromStock(sku, count))) throw new HttpError(409, `${sku} is sold out`);
        lines.push({ sku, count, priceCents: product.priceCents });
      }
      const order = await placeOrder(account, lines);
      await enqueue({ kind: 'send-mail', template: 'order', to: account, values: { order: order.id } });
      response.status(201).json(order);
    } catch (error) {
      next(error);
    }
  });

  return router;
}
