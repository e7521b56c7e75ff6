/** A HEALTHCHECK that asks a route of the program itself with the interpreter that the image has: no curl is needed. */
export function healthProbe(image: 'node' | 'python', port: string, path: string): string {
  const url = `http://127.0.0.1:${port}${path}`;
  const command =
    image === 'node'
      ? ['node', '-e', `fetch('${url}').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`]
      : ['python', '-c', `import sys, urllib.request as r; sys.exit(r.urlopen('${url}', timeout=2).status != 200)`];
  return `HEALTHCHECK --interval=30s --timeout=3s --start-period=15s CMD ${JSON.stringify(command)}`;
}
