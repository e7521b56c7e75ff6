import type { Request } from 'express';

/** Ends a request whose client sends nothing for `ms` (at most twice that). Gives the function that ends the watch. */
export function destroyWhenIdle(request: Request, ms: number): () => void {
  let seen = request.socket.bytesRead;
  const timer = setInterval(() => {
    // What was not asked for yet is not the client's silence but a reader's that is slower than the client.
    if (request.socket.bytesRead === seen && !request.isPaused() && request.readableLength === 0) request.destroy();
    seen = request.socket.bytesRead;
  }, ms).unref();
  return () => clearInterval(timer);
}
