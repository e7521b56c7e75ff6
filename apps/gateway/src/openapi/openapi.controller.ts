import { Controller, Get, Res } from '@nestjs/common';
import { Public } from '@devmesh/service-kit/auth/public.decorator';
import { ServiceIdentity } from '@devmesh/service-kit/identity';
import type { Response } from 'express';
import { docsPage, type Page } from './docs-page.js';
import { openApiDocument, type OpenApiDocument } from './document.js';

/** What the API is, for programs and for people; made when first asked for. */
@Controller()
@Public()
export class OpenApiController {
  #document: OpenApiDocument | undefined;
  #page: Page | undefined;

  constructor(private readonly identity: ServiceIdentity) {}

  @Get()
  home(): object {
    const { name, version } = this.identity;
    return {
      name: `devmesh ${name}`,
      version,
      api: '/v1',
      documentation: '/docs',
      openapi: '/openapi.json',
      health: '/health',
    };
  }

  @Get('openapi.json')
  document(): OpenApiDocument {
    return (this.#document ??= openApiDocument(this.identity.version));
  }

  @Get('docs')
  page(@Res() response: Response): void {
    const page = (this.#page ??= docsPage(this.document()));
    response.set('content-security-policy', page.contentSecurityPolicy).type('html').send(page.html);
  }
}
