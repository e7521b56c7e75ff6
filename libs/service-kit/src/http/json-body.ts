import express from 'express';
import { toDevmeshError } from '../errors/to-devmesh-error.js';

/** Parses JSON bodies of at most `limit` bytes; what else comes is left to its route as a stream. */
export function jsonBody(limit: number): express.RequestHandler {
  const parse = express.json({ limit, type: ['application/json', 'application/*+json'] });
  return (request, response, next) =>
    parse(request, response, (error?: unknown) => next(error === undefined ? undefined : toDevmeshError(error)));
}
