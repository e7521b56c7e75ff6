import { serveReviews } from './review-process.js';

serveReviews();
