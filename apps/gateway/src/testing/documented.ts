import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { openApiDocument } from '../openapi/document.js';

const document = openApiDocument('0.0.0');
const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, 'openapi');

/** Throws when an answer has a status, a type or a JSON body that the OpenAPI document does not have for its route. */
export async function assertDocumented(method: string, path: string, response: Response): Promise<void> {
  const { pathname } = new URL(path, 'http://gateway');
  const template = Object.keys(document.paths).find((candidate) =>
    new RegExp(`^${candidate.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
  const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
  if (template === undefined || operation === undefined) return;
  const what = `${method} ${template}: ${response.status}`;
  const documented = operation.responses[response.status];
  if (documented === undefined) {
    // Health is 503 by design while something is missing, and says so in its own words.
    if (template.startsWith('/health')) return;
    throw new Error(`${what} is not documented`);
  }
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const types = Object.keys(documented.content ?? {});
  if (types.length > 0 && !types.includes(type))
    throw new Error(`${what} is ${type}, documented is ${types.join(', ')}`);
  if (!types.includes(type) || !type.endsWith('json')) return;
  const validate = validator([
    'paths',
    template,
    method.toLowerCase(),
    'responses',
    String(response.status),
    'content',
    type,
  ]);
  if (!validate(await response.clone().json())) throw new Error(`${what}: ${ajv.errorsText(validate.errors)}`);
}

function validator(place: readonly string[]): ValidateFunction {
  const pointer = [...place, 'schema'].map((part) =>
    encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')),
  );
  const validate = ajv.getSchema(`openapi#/${pointer.join('/')}`);
  if (validate === undefined) throw new Error(`the document has no schema at ${place.join(' ')}`);
  return validate;
}
