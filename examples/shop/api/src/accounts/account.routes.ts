import { Router } from 'express';
import { HttpError } from '../http/errors.js';
import { createAccount, findByEmail, replacePassword } from './account.repository.js';
import { hashPassword, verifyPassword } from './password.js';
import { finishReset, startReset } from './reset.js';
import { closeSession, openSession } from './session.js';

export function accountRoutes(): Router {
  const router = Router();

  router.post('/', async (request, response, next) => {
    try {
      const { email, password } = request.body as { email: string; password: string };
      if (password.length < 12) throw new HttpError(422, 'a password has at least 12 characters');
      const id = await createAccount(email, await hashPassword(password));
      await openSession(response, id);
      response.status(201).json({ id });
    } catch (error) {
      next(error);
    }
  });

  router.post('/login', async (request, response, next) => {
    try {
      const { email, password } = request.body as { email: string; password: string };
      const account = await findByEmail(email);
      if (!account || !(await verifyPassword(password, account.passwordHash))) throw new HttpError(401, 'wrong login');
      await openSession(response, account.id);
      response.status(204).end();
    } catch (error) {
      next(error);
    }
  });

  router.post('/logout', async (request, response, next) => {
    try {
      await closeSession(response, String(request.cookies.sid ?? ''));
      response.status(204).end();
    } catch (error) {
      next(error);
    }
  });

  router.post('/reset', async (request, response, next) => {
    try {
      const account = await findByEmail(String(request.body.email));
      if (account) await startReset(account);
      response.status(202).end();
    } catch (error) {
      next(error);
    }
  });

  router.post('/reset/:code', async (request, response, next) => {
    try {
      const id = await finishReset(request.params.code);
      if (!id) throw new HttpError(410, 'this link was used or is too old');
      await replacePassword(id, await hashPassword(String(request.body.password)));
      response.status(204).end();
    } catch (error) {
      next(error);
    }
  });

  return router;
}
