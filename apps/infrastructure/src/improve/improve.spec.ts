import { describe, expect, test } from 'vitest';
import { improveDockerfile, type ImageFacts } from './dockerfile-edits.js';
import { improveDockerignore } from './dockerignore-edits.js';

const NODE: ImageFacts = { ecosystem: 'node', healthPath: '/healthz', port: '3000' };
const DOCKERFILE = `# ours
FROM node:24-slim
WORKDIR /app
COPY . . # all
EXPOSE 3000

CMD ["node", "server.js"]`;

describe('a Dockerfile that somebody wrote', () => {
  test('gets a user and a health check, each with its reason, and keeps every other byte', () => {
    const edited = improveDockerfile('Dockerfile', DOCKERFILE, NODE);
    const [before, after] = DOCKERFILE.split('\n\n') as [string, string];
    expect(edited?.content.startsWith(`${before}\nUSER node\nHEALTHCHECK `)).toBe(true);
    expect(edited?.content.endsWith(`\n\n${after}`)).toBe(true);
    expect(edited?.content).toContain('http://127.0.0.1:3000/healthz');
    expect(edited?.edits.map(({ line }) => line)).toEqual([6, 6]);
    expect(improveDockerfile('Dockerfile', edited?.content ?? '', NODE)).toBeUndefined();
  });

  test('gets no user where the base image has none', () => {
    const text = 'FROM python:3.13-slim\nCOPY app.py .\nCMD ["python", "app.py"]\n';
    const facts = { ecosystem: 'python', healthPath: undefined, port: undefined };
    expect(improveDockerfile('Dockerfile', text, facts)).toBeUndefined();
    const asked = improveDockerfile('Dockerfile', text, { ecosystem: 'python', healthPath: '/ready', port: '8000' });
    expect(asked?.content).toMatch(/\nHEALTHCHECK .*:8000\/ready/);
    expect(asked?.content).not.toContain('USER');
  });

  test.each([
    [
      'a port below 1024',
      DOCKERFILE.replace('EXPOSE 3000', 'EXPOSE 80'),
      { ...NODE, port: '80', healthPath: undefined },
    ],
    ['a volume', DOCKERFILE.replace('EXPOSE 3000', 'VOLUME /data'), { ...NODE, healthPath: undefined }],
    ['a user already', DOCKERFILE.replace('EXPOSE 3000', 'USER app'), { ...NODE, healthPath: undefined }],
    ['another base', DOCKERFILE.replace('node:24-slim', 'example.org/base:1'), NODE],
    ['a script that it starts with', DOCKERFILE.replace('CMD ["node", "server.js"]', 'ENTRYPOINT ["/start.sh"]'), NODE],
  ])('is left as it is with %s', (_what, text, facts) => {
    expect(improveDockerfile('Dockerfile', text, facts)).toBeUndefined();
  });
});

describe('a .dockerignore that somebody wrote', () => {
  const none = (): boolean => false;

  test('gets what it lacks, and nothing the second time', () => {
    const edited = improveDockerignore('.dockerignore', 'node_modules\r\n*.log', none);
    expect(edited?.content).toBe('node_modules\r\n*.log\r\n.git\r\n**/.env\r\n');
    expect(improveDockerignore('.dockerignore', edited?.content ?? '', none)).toBeUndefined();
  });

  test.each([['/.git/\n.env*\n'], ['*\n!src\n'], ['**/.git\n**/.env\n']])('is left as it is: %j', (text) => {
    expect(improveDockerignore('.dockerignore', text, none)).toBeUndefined();
  });

  test('lets in a .env that is in the repository itself', () => {
    expect(improveDockerignore('.dockerignore', '.git\n', (path) => path === '.env')).toBeUndefined();
  });
});
