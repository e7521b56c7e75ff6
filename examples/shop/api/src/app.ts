import cookieParser from 'cookie-parser';
import express, { type Express } from 'express';
import { accountRoutes } from './accounts/account.routes.js';
import { productRoutes } from './catalogue/product.routes.js';
import { answerErrors } from './http/errors.js';
import { requestLabel } from './http/request-label.js';
import { mediaRoutes } from './media/media.routes.js';
import { orderRoutes } from './orders/order.routes.js';

export function createApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '100kb' }));
  app.use(cookieParser());
  app.use((request, response, next) => {
    response.locals.label = requestLabel(request.path);
    next();
  });
  app.get('/health', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.use('/products', productRoutes());
  app.use('/accounts', accountRoutes());
  app.use('/orders', orderRoutes());
  app.use('/media', mediaRoutes());
  app.use(answerErrors);
  return app;
}
