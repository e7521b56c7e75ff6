import { PassThrough } from 'node:stream';
import { Controller, Get, Module, Post, Req } from '@nestjs/common';
import { DevmeshError, type Problem } from '@devmesh/contracts/errors';
import type { Request } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfig } from './config/read-config.js';
import { ServiceConfig } from './config/service-config.js';
import { workContext } from './context/request-context.js';
import { Logger } from './logging/logger.js';
import { createService, type Service } from './service.js';
import { ZodBody, ZodParam, ZodQuery } from './validation/zod.decorators.js';

const TOKEN = 'a-token-for-tests-that-is-long-enough';
const Thing = z.object({ name: z.string(), size: z.number().int().positive() });

@Controller('v1/things')
class ThingController {
  @Post()
  create(@ZodBody(Thing) thing: unknown): unknown {
    return { thing };
  }

  @Get(':id')
  read(
    @ZodParam('id', z.string().regex(/^\d+$/, 'a number')) id: string,
    @ZodQuery(z.object({ limit: z.coerce.number().default(3) })) query: unknown,
  ): unknown {
    return { id, query, deadlineAt: workContext().deadlineAt ?? null };
  }

  @Post('fail')
  fail(): never {
    throw new Error('secret inside: /var/lib/thing');
  }

  @Post('refuse')
  refuse(): never {
    throw new DevmeshError('rate_limited', 'too many things', { retryAfterMs: 1500 });
  }

  @Post('stream')
  async stream(@Req() request: Request): Promise<unknown> {
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).length;
    return { bytes };
  }
}

@Module({ controllers: [ThingController] })
class ThingModule {}

const started: Service[] = [];
afterEach(async () => {
  for (const service of started.splice(0)) await service.close(1000);
});

async function start(): Promise<{ service: Service; url: string; logged: () => string }> {
  const config = readConfig(ServiceConfig, { service: 'gateway', env: { DEVMESH_INTERNAL_TOKEN: TOKEN } });
  const stream = new PassThrough();
  const lines: string[] = [];
  stream.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const service = await createService({
    name: 'code-review',
    module: ThingModule,
    config,
    bodyLimitBytes: 1000,
    now: () => 1_000_000,
    logger: Logger.create({ service: 'code-review', level: 'debug', stream }),
  });
  started.push(service);
  return { service, url: await service.listen(0), logged: () => lines.join('') };
}

const headers = { authorization: `Bearer ${TOKEN}` };
const json = { ...headers, 'content-type': 'application/json' };

describe('a service', () => {
  it('wants the internal token everywhere but for health and metrics', async () => {
    const { url } = await start();
    for (const authorization of ['', 'Bearer wrong', `Bearer ${TOKEN}x`, TOKEN]) {
      const refused = await fetch(`${url}/v1/things/1`, { headers: { authorization } });
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(((await refused.json()) as Problem).code).toBe('unauthenticated');
    }
    expect((await fetch(`${url}/v1/things/1`, { headers })).status).toBe(200);
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics']) {
      expect((await fetch(url + path)).status, path).toBe(200);
    }
  });

  it('validates bodies, parameters and queries, and names the fields', async () => {
    const { url } = await start();
    const bad = await fetch(`${url}/v1/things`, { method: 'POST', headers: json, body: '{"name":1,"size":0}' });
    expect(bad.status).toBe(400);
    expect(bad.headers.get('content-type')).toBe('application/problem+json');
    const problem = (await bad.json()) as Problem;
    expect(problem).toMatchObject({ code: 'invalid_request', status: 400, retryable: false, instance: '/v1/things' });
    expect(problem.errors?.map((e) => e.pointer)).toEqual(['/name', '/size']);
    const good = await fetch(`${url}/v1/things`, { method: 'POST', headers: json, body: '{"name":"a","size":1}' });
    expect(await good.json()).toEqual({ thing: { name: 'a', size: 1 } });
    expect((await fetch(`${url}/v1/things/x`, { headers })).status).toBe(400);
    const read = await fetch(`${url}/v1/things/7?limit=9`, { headers });
    expect(await read.json()).toEqual({ id: '7', query: { limit: 9 }, deadlineAt: null });
  });

  it.each([
    ['malformed JSON', { method: 'POST', headers: json, body: '{"name":' }, '/v1/things', 400, 'invalid_request'],
    [
      'a body over the limit',
      { method: 'POST', headers: json, body: JSON.stringify({ name: 'x'.repeat(2000) }) },
      '/v1/things',
      413,
      'payload_too_large',
    ],
    [
      'another content type',
      { method: 'POST', headers: { ...headers, 'content-type': 'text/plain' }, body: 'x' },
      '/v1/things',
      415,
      'unsupported_media_type',
    ],
    ['an unknown path', { headers }, '/v1/nothing', 404, 'not_found'],
    ['an unknown method', { method: 'DELETE', headers }, '/v1/things/1', 405, 'method_not_allowed'],
    ['a broken percent-encoding', { headers }, '/v1/things/%E0%A4%A', 400, 'invalid_request'],
    [
      'a deadline that is no instant',
      { headers: { ...headers, 'x-devmesh-deadline': 'soon' } },
      '/v1/things/1',
      400,
      'invalid_request',
    ],
    [
      'a deadline that has passed',
      { headers: { ...headers, 'x-devmesh-deadline': '999999' } },
      '/v1/things/1',
      504,
      'deadline_exceeded',
    ],
  ])('answers %s with a problem', async (_, init, path, status, code) => {
    const { url } = await start();
    const answer = await fetch(url + path, init);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as Problem).code).toBe(code);
    if (status === 405) expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('tells nothing of the inside when something unforeseen happens, and logs it', async () => {
    const { url, logged } = await start();
    const answer = await fetch(`${url}/v1/things/fail`, { method: 'POST', headers });
    const text = await answer.text();
    expect(answer.status).toBe(500);
    expect(text).not.toMatch(/secret inside|\/var\/lib|at /);
    expect(logged()).toContain('secret inside');
  });

  it('says when to come again', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/v1/things/refuse`, { method: 'POST', headers });
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(await answer.json()).toMatchObject({ code: 'rate_limited', retryable: true, retryAfterMs: 1500 });
  });

  it('passes the deadline on to the work', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/v1/things/1`, { headers: { ...headers, 'x-devmesh-deadline': '1000001' } });
    expect(await answer.json()).toMatchObject({ deadlineAt: 1_000_001 });
  });

  it('leaves bodies that are not JSON to their route, without a limit', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/v1/things/stream`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body: Buffer.alloc(5000),
    });
    expect(await answer.json()).toEqual({ bytes: 5000 });
  });

  it('times requests by route, and exports no metric that has no source', async () => {
    const { url } = await start();
    await (await fetch(`${url}/v1/things/12345`, { headers })).text();
    const text = await (await fetch(`${url}/metrics`)).text();
    expect(text).toContain('http_request_duration_seconds_count{method="GET",route="/v1/things/:id",status="200"} 1');
    expect(text).not.toContain('12345');
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).not.toContain('workflows_total');
  });

  it('tells who it is and how its parts are', async () => {
    const { service, url } = await start();
    service.health.addCheck({ name: 'cache', critical: false, check: () => ({ up: false, details: { why: 'cold' } }) });
    service.health.addDetails('breakers', () => ({ gateway: 'closed' }));
    const answer = await fetch(`${url}/health`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      status: 'degraded',
      name: 'code-review',
      instance: service.identity.instance,
      checks: { cache: { status: 'down', why: 'cold' } },
      breakers: { gateway: 'closed' },
    });
    service.health.addCheck({
      name: 'store',
      critical: true,
      check: () => {
        throw new Error('gone');
      },
    });
    expect((await fetch(`${url}/health`)).status).toBe(503);
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ checks: { store: { status: 'down', error: 'gone' } } });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  it('is another instance after every start', async () => {
    const [a, b] = [await start(), await start()];
    expect(a.service.identity.instance).not.toBe(b.service.identity.instance);
  });
});
