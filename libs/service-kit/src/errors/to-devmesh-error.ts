import { HttpException } from '@nestjs/common';
import { DevmeshError, type ErrorCode } from '@devmesh/contracts/errors';

/** What body-parser calls the ways in which a body can't be taken. */
const BODY_ERRORS: Readonly<Record<string, { code: ErrorCode; message: string }>> = {
  'entity.too.large': { code: 'payload_too_large', message: 'the request body is too large' },
  'entity.parse.failed': { code: 'invalid_request', message: 'the request body is not valid JSON' },
  'entity.verify.failed': { code: 'invalid_request', message: 'the request body was refused' },
  'request.aborted': { code: 'invalid_request', message: 'the request ended before its body was complete' },
  'request.size.invalid': { code: 'invalid_request', message: 'the request body has not the announced length' },
  'stream.encoding.set': { code: 'internal', message: 'the request body was read twice' },
  'stream.not.readable': { code: 'internal', message: 'the request body was read twice' },
  'encoding.unsupported': {
    code: 'unsupported_media_type',
    message: 'the content encoding is not supported: send gzip, deflate, br or none',
  },
  'charset.unsupported': { code: 'unsupported_media_type', message: 'the charset is not supported: send UTF-8' },
};

const HTTP_CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  410: 'gone',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'invalid_request',
  429: 'rate_limited',
  503: 'unavailable',
  504: 'deadline_exceeded',
};

/**
 * Whatever was thrown, as an error of the mesh. What nobody foresaw becomes `internal` with a text that tells nothing of the
 * inside; the cause is kept for the log.
 */
export function toDevmeshError(thrown: unknown): DevmeshError {
  if (thrown instanceof DevmeshError) return thrown;
  if (thrown instanceof HttpException) {
    const code = HTTP_CODES[thrown.getStatus()] ?? (thrown.getStatus() < 500 ? 'invalid_request' : 'internal');
    return new DevmeshError(code, code === 'internal' ? INTERNAL_TEXT : thrown.message, { cause: thrown });
  }
  const { type, limit, status } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as {
    type?: unknown;
    limit?: unknown;
    status?: unknown;
  };
  const body = typeof type === 'string' ? BODY_ERRORS[type] : undefined;
  if (body !== undefined) {
    const bound = typeof limit === 'number' ? `: at most ${limit} bytes are taken` : '';
    return new DevmeshError(body.code, body.message + bound, { cause: thrown });
  }
  if (thrown instanceof URIError || status === 400) {
    return new DevmeshError('invalid_request', 'the address is not valid: check its percent-encoding', {
      cause: thrown,
    });
  }
  return new DevmeshError('internal', INTERNAL_TEXT, { cause: thrown });
}

const INTERNAL_TEXT = 'something unforeseen went wrong; the log of the service has the details';
