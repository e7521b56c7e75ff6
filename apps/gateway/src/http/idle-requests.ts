import type { Server } from 'node:http';
import { HttpAdapterHost } from '@nestjs/core';
import type { Request } from 'express';
import { destroyWhenIdle } from './destroy-when-idle.js';

/** Longest silence of a client in the middle of its request's body, ms. */
export const BODY_IDLE_MS = 30_000;

/** Lets no client hold a connection by sending half a body. Sees requests before anything reads them. */
export class IdleRequests {
  constructor(private readonly host: HttpAdapterHost) {}

  onModuleInit(): void {
    const server = this.host.httpAdapter.getHttpServer() as Server;
    server.prependListener('request', (request: Request, response) => {
      if (request.complete || !hasBody(request)) return;
      const stop = destroyWhenIdle(request, BODY_IDLE_MS);
      request.once('end', stop).once('close', stop);
      response.once('close', stop);
    });
  }
}

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}
