import type { ErrorRequestHandler } from 'express';

export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const answerErrors: ErrorRequestHandler = (error, _request, response, _next) => {
  const status = error instanceof HttpError ? error.status : 500;
  if (status === 500) console.error(response.locals.label, error);
  response.status(status).json({ error: status === 500 ? 'something went wrong' : error.message });
};
