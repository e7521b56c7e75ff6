import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { fileURLToPath } from 'node:url';

const port = Number(process.env.PORT ?? 3000);
const api = process.env.API_URL ?? 'http://127.0.0.1:4000';

const app = express();
app.disable('x-powered-by');
app.use('/api', createProxyMiddleware({ target: api, pathRewrite: { '^/api': '' } }));
app.use(express.static(fileURLToPath(new URL('./public', import.meta.url))));

app.listen(port, () => {
  console.log(`storefront listens on ${port}`);
});
