/**
 * `NODE_OPTIONS` that let the disk be full for everything a node process writes below `folder`: what calls of
 * `node:fs/promises` get there is ENOSPC, as from the kernel.
 */
export function fullDisk(folder: string): Record<string, string> {
  const code = `
    import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    for (const [name, place] of [['writeFile', 0], ['copyFile', 1], ['mkdir', 0]]) {
      const real = fs[name];
      fs[name] = async (...args) => {
        if (String(args[place]).startsWith(${JSON.stringify(folder)}))
          throw Object.assign(new Error('ENOSPC: no space left on device, ' + name), { code: 'ENOSPC', errno: -28, syscall: name });
        return real(...args);
      };
    }
    syncBuiltinESMExports();`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}
