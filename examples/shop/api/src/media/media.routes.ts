import { createReadStream } from 'node:fs';
import path from 'node:path';
import { Router } from 'express';
import { config } from '../config.js';

export function mediaRoutes(): Router {
  const router = Router();

  router.get('/pictures/:file', (request, response, next) => {
    const picture = path.join(config.mediaRoot, 'pictures', request.params.file);
    createReadStream(picture).on('error', next).pipe(response);
  });

  router.get('/thumbnails/:file', (request, response, next) => {
    const thumbnail = path.join(config.mediaRoot, 'thumbnails', path.basename(request.params.file));
    createReadStream(thumbnail).on('error', next).pipe(response);
  });

  return router;
}
