import { serveReviews } from '../findings/review-process.js';

/* A process of a review for which some files are too much, by their name. */

serveReviews((path) => {
  if (path === 'hangs.py') for (;;);
  if (path === 'crashes.py') process.kill(process.pid, 'SIGSEGV');
});
