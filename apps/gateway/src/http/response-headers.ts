import type { NextFunction, Request, Response } from 'express';

/** What every answer says to browsers: it is data, not a page, and nobody's to keep. Routes may say otherwise. */
export function responseHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set({
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  next();
}
