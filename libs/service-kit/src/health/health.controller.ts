import { Controller, Get, Res, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import type { Response } from 'express';
import { Public } from '../auth/public.decorator.js';
import { ServiceIdentity } from '../identity.js';
import { Shutdown } from '../shutdown/shutdown.js';
import { HealthRegistry, type HealthCheck } from './health.registry.js';

@Controller('health')
@Public()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly registry: HealthRegistry,
    private readonly identity: ServiceIdentity,
    private readonly shutdown: Shutdown,
  ) {}

  /** The process answers: nothing else is asked, so that a broken dependency never gets it restarted. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 when requests may be sent here, 503 when not. */
  @Get('ready')
  async ready(@Res() response: Response): Promise<void> {
    const found = await this.#run(this.registry.checks.filter((check) => check.critical));
    response.status(found.status === 'ok' ? 200 : 503).json({ status: found.status, checks: found.checks });
  }

  /** Who this is and how its parts are; 503 when it isn't ready. */
  @Get()
  async details(@Res() response: Response): Promise<void> {
    const { name, instance, version, revision, startedAt } = this.identity;
    const found = await this.#run(this.registry.checks);
    const memory = process.memoryUsage();
    response.status(found.status === 'error' || found.status === 'shutting_down' ? 503 : 200).json({
      status: found.status,
      name,
      instance,
      version,
      revision,
      pid: process.pid,
      startedAt: new Date(startedAt).toISOString(),
      uptimeSeconds: Math.round(process.uptime()),
      memory: { rssBytes: memory.rss, heapUsedBytes: memory.heapUsed },
      checks: found.checks,
      ...this.registry.details(),
    });
  }

  /** `degraded`: only checks that aren't critical are down. */
  async #run(
    checks: readonly HealthCheck[],
  ): Promise<{ status: 'ok' | 'degraded' | 'error' | 'shutting_down'; checks: HealthIndicatorResult }> {
    const found = await this.#check(checks);
    const down = checks.filter((check) => found[check.name]?.status !== 'up');
    if (this.shutdown.started) return { status: 'shutting_down', checks: found };
    if (down.length === 0) return { status: 'ok', checks: found };
    return { status: down.some((check) => check.critical) ? 'error' : 'degraded', checks: found };
  }

  async #check(checks: readonly HealthCheck[]): Promise<HealthIndicatorResult> {
    try {
      return (await this.health.check(checks.map((check) => () => this.#indicate(check)))).details;
    } catch (error) {
      // Terminus throws when something is down; what was found is in the exception.
      if (!(error instanceof ServiceUnavailableException)) throw error;
      return (error.getResponse() as { details: HealthIndicatorResult }).details;
    }
  }

  async #indicate(check: HealthCheck): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(check.name);
    try {
      const { up, details } = await check.check();
      return up ? indicator.up({ ...details }) : indicator.down({ ...details });
    } catch (error) {
      return indicator.down({ error: error instanceof Error ? error.message : String(error) });
    }
  }
}
