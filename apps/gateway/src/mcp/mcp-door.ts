import { DevmeshError } from '@devmesh/contracts/errors';
import { localhostAllowedHostnames, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import type { RequestHandler } from 'express';
import type { GatewayConfig } from '../config.js';

/** The names that this gateway is called by: those of the loopback, and of its settings. */
export function ownNames({ publicUrl, advertise }: Pick<GatewayConfig, 'publicUrl' | 'advertise'>): string[] {
  const urls = [publicUrl, advertise].filter((url) => url !== undefined);
  return [...localhostAllowedHostnames(), ...urls.map((url) => new URL(url).hostname)];
}

/**
 * Refuses whoever calls this gateway by a name that is not its own, or comes from a page of another site: a page that has rebound
 * its own name to this address (DNS rebinding) gives itself away by both. No key is looked at and no body is read before.
 */
export function mcpDoor(names: string[]): RequestHandler {
  return (request, _response, next) => {
    const host = validateHostHeader(request.headers.host, names);
    if (!host.ok) {
      return next(
        new DevmeshError(
          'forbidden',
          `this gateway is not called ${quoted(request.headers.host)} but ${names.join(', ')}: call it so, or set DEVMESH_PUBLIC_URL`,
        ),
      );
    }
    const origin = validateOriginHeader(request.headers.origin, names);
    if (origin.ok) return next();
    next(new DevmeshError('forbidden', `pages of ${quoted(request.headers.origin)} may not call this gateway`));
  };
}

const quoted = (header: string | undefined): string => JSON.stringify((header ?? '').slice(0, 200));
