import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { withWorkContext } from '../context/request-context.js';
import { Logger, type LogLevel } from './logger.js';
import { NestLogger } from './nest-logger.js';

function make(level: LogLevel = 'debug'): { logger: Logger; lines: () => Record<string, unknown>[] } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const now = (): Date => new Date(0);
  const logger = Logger.create({ service: 'shop', level, stream, now });
  return {
    logger,
    lines: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('Logger', () => {
  it('writes one JSON object a line, with the run and step of the work', () => {
    const { logger, lines } = make();
    withWorkContext({ runId: 'r1' }, () => withWorkContext({ step: 'plan' }, () => logger.info('hello', { n: 1 })));
    expect(lines()).toEqual([
      {
        time: '1970-01-01T00:00:00.000Z',
        service: 'shop',
        level: 'info',
        message: 'hello',
        runId: 'r1',
        step: 'plan',
        n: 1,
      },
    ]);
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = make('warn');
    logger.info('no');
    logger.error('yes');
    expect(lines().map((line) => line['message'])).toEqual(['yes']);
    expect(logger.isEnabled('info')).toBe(false);
  });

  it('keeps fields apart from its own members', () => {
    const { logger, lines } = make();
    logger.with({ part: 'x' }).warn('real', { message: 'fake', level: 'error' });
    expect(lines()[0]).toMatchObject({ message: 'real', level: 'warn', part: 'x' });
  });

  it('writes errors with their stack and cause', () => {
    const { logger, lines } = make();
    logger.error('failed', { error: new Error('outer', { cause: new TypeError('inner') }) });
    expect(lines()[0]?.['error']).toMatchObject({
      name: 'Error',
      message: 'outer',
      cause: { name: 'TypeError', message: 'inner' },
    });
  });

  it('never writes a secret', () => {
    const { logger, lines } = make();
    logger.info('calling https://bob:hunter2@example.org/x with Authorization: Bearer abcdef123456', {
      headers: { authorization: 'Bearer abcdef123456', cookie: 'sid=1', accept: 'x' },
      databaseUrl: 'postgres://u:pw@h/d',
      apiKey: 'dm_0123456789abcdef',
      error: new Error('GET https://bob:hunter2@example.org failed'),
    });
    const text = JSON.stringify(lines());
    expect(text).not.toMatch(/hunter2|abcdef|sid=1|:pw@/);
    expect(text).toContain('example.org');
    expect(text).toContain('"accept":"x"');
  });
});

describe('NestLogger', () => {
  it('bridges levels, and names the part that speaks', () => {
    const { logger, lines } = make();
    const nest = new NestLogger(logger);
    nest.log('mapped', 'RouterExplorer');
    nest.error('broke', 'Error: broke\n    at x', 'Injector');
    expect(lines()).toMatchObject([
      { level: 'debug', message: 'mapped', part: 'RouterExplorer' },
      { level: 'error', message: 'broke', part: 'Injector', stack: 'Error: broke\n    at x' },
    ]);
  });
});
