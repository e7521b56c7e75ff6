import { describe, expect, it } from 'vitest';
import { OrphanReports } from './orphan-reports.js';

function reportsOf() {
  const mesh: { present: string[] | undefined; down: boolean } = { present: ['one'], down: false };
  const told: string[][] = [];
  const reports = new OrphanReports(
    { present: () => mesh.present },
    (present) => {
      if (mesh.down) return Promise.reject(new Error('down'));
      told.push([...present]);
      return Promise.resolve();
    },
    { warn: () => undefined },
  );
  const look = async (times: number) => {
    for (let i = 0; i < times; i++) await reports.report();
    return told.splice(0);
  };
  return { mesh, look };
}

describe('reports of who is there', () => {
  it('tells a change twice, and then no more', async () => {
    const { mesh, look } = reportsOf();
    expect(await look(4)).toEqual([['one'], ['one']]);
    mesh.present = ['two'];
    expect(await look(4)).toEqual([['two'], ['two']]);
  });

  it('tells nothing while one is out of reach, nor that it came back as the same', async () => {
    const { mesh, look } = reportsOf();
    await look(4);
    mesh.present = undefined;
    expect(await look(2)).toEqual([]);
    mesh.present = ['one'];
    expect(await look(2)).toEqual([]);
  });

  it('tells again what could not be told', async () => {
    const { mesh, look } = reportsOf();
    mesh.down = true;
    expect(await look(3)).toEqual([]);
    mesh.down = false;
    expect(await look(3)).toEqual([['one'], ['one']]);
  });
});
