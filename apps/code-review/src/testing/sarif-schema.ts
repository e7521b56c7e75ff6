/**
 * The parts of SARIF 2.1.0 that this service writes, as a JSON schema from the text of the standard (OASIS, 27 March
 * 2020): required members, allowed values, formats and bounds of each object, and no member that the standard lacks. It
 * is not the published schema file, which no package of the registry carries.
 */
const text = { type: 'string' };
const propertyBag = {
  type: 'object',
  properties: { tags: { type: 'array', items: text, uniqueItems: true } },
};

/** An object of the standard: these members, `properties` besides, and nothing else (section 3.8 allows the bag anywhere). */
function object(required: readonly string[], properties: Readonly<Record<string, unknown>>): object {
  return {
    type: 'object',
    required,
    properties: { ...properties, properties: propertyBag },
    additionalProperties: false,
  };
}

const ref = (name: string) => ({ $ref: `#/definitions/${name}` });
const list = (items: object, more: object = {}) => ({ type: 'array', items, ...more });
const count = (minimum: number) => ({ type: 'integer', minimum });

export const SARIF_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...object(['version', 'runs'], {
    $schema: { type: 'string', format: 'uri' },
    version: { enum: ['2.1.0'] },
    runs: list(ref('run')),
  }),
  definitions: {
    // 3.14
    run: object(['tool'], {
      tool: object(['driver'], { driver: ref('toolComponent') }),
      columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
      originalUriBaseIds: { type: 'object', additionalProperties: ref('artifactLocation') },
      results: list(ref('result')),
    }),
    // 3.19
    toolComponent: object(['name'], {
      name: text,
      version: text,
      informationUri: { type: 'string', format: 'uri' },
      rules: list(ref('reportingDescriptor'), { uniqueItems: true }),
    }),
    // 3.49, 3.50
    reportingDescriptor: object(['id'], {
      id: text,
      shortDescription: ref('multiformatMessageString'),
      fullDescription: ref('multiformatMessageString'),
      defaultConfiguration: object([], { level: ref('level') }),
      helpUri: { type: 'string', format: 'uri' },
    }),
    multiformatMessageString: object(['text'], { text, markdown: text }),
    level: { enum: ['none', 'note', 'warning', 'error'] },
    // 3.27
    result: object(['message'], {
      ruleId: text,
      ruleIndex: count(-1),
      level: ref('level'),
      message: ref('message'),
      locations: list(ref('location')),
      codeFlows: list(ref('codeFlow')),
      partialFingerprints: { type: 'object', additionalProperties: text },
      fixes: list(ref('fix'), { uniqueItems: true }),
      rank: { type: 'number', minimum: -1, maximum: 100 },
      suppressions: list(ref('suppression'), { uniqueItems: true }),
    }),
    // 3.35
    suppression: object(['kind'], {
      kind: { enum: ['inSource', 'external'] },
      status: { enum: ['accepted', 'underReview', 'rejected'] },
      justification: text,
    }),
    // 3.11: text or id
    message: {
      ...object([], { text, markdown: text, id: text, arguments: list(text) }),
      anyOf: [{ required: ['text'] }, { required: ['id'] }],
    },
    location: object([], { physicalLocation: ref('physicalLocation'), message: ref('message') }),
    // 3.36 to 3.38
    codeFlow: object(['threadFlows'], { threadFlows: list(ref('threadFlow'), { minItems: 1 }) }),
    threadFlow: object(['locations'], { locations: list(ref('threadFlowLocation'), { minItems: 1 }) }),
    threadFlowLocation: object([], { location: ref('location') }),
    // 3.29: address or artifactLocation
    physicalLocation: {
      ...object([], { artifactLocation: ref('artifactLocation'), region: ref('region') }),
      required: ['artifactLocation'],
    },
    // 3.4
    artifactLocation: object([], {
      uri: { type: 'string', format: 'uri-reference' },
      uriBaseId: text,
      index: count(-1),
      description: ref('message'),
    }),
    // 3.30
    region: object([], {
      startLine: count(1),
      startColumn: count(1),
      endLine: count(1),
      endColumn: count(1),
      byteOffset: count(0),
      byteLength: count(0),
      snippet: ref('artifactContent'),
    }),
    artifactContent: object([], { text, binary: text }),
    // 3.55 to 3.57
    fix: object(['artifactChanges'], {
      description: ref('message'),
      artifactChanges: list(ref('artifactChange'), { minItems: 1 }),
    }),
    artifactChange: object(['artifactLocation', 'replacements'], {
      artifactLocation: ref('artifactLocation'),
      replacements: list(ref('replacement'), { minItems: 1 }),
    }),
    replacement: object(['deletedRegion'], { deletedRegion: ref('region'), insertedContent: ref('artifactContent') }),
  },
} as const;
