import { createApp } from './app.js';
import { config } from './config.js';
import { closeDatabase } from './db.js';
import { redis } from './cache.js';

const server = createApp().listen(config.port, () => {
  console.log(`api listens on ${config.port}`);
});

process.on('SIGTERM', () => {
  server.close(async () => {
    await closeDatabase();
    redis.disconnect();
  });
});
