import { describe, expect, it } from 'vitest';
import { discoveryConformance } from './discovery.conformance.js';
import { localEndpoints, StaticDiscovery } from './static.discovery.js';

discoveryConformance('StaticDiscovery', (instances) =>
  Promise.resolve({
    discovery: new StaticDiscovery(instances),
    breakRegistry: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }),
);

describe('StaticDiscovery', () => {
  it('takes a slash at the end of a URL for nothing', () => {
    expect(new StaticDiscovery({ cicd: ['http://h:1/'] }).instances('cicd')).toEqual([
      { address: 'http://h:1', instance: null },
    ]);
  });

  it('knows the nine services of one host', () => {
    const endpoints = localEndpoints('127.0.0.1', 9000);
    expect(Object.keys(endpoints)).toHaveLength(9);
    expect(endpoints['state-persistence']).toEqual(['http://127.0.0.1:9008']);
  });
});
