/** OpenAPI v3 as `openapi.v3.Document` in protobuf: what typed apply configurations of client-go ask for. */
import { any, bool, count, document, double, each, eachText, extensions, message, none, number, pairs, pairsInSteps, someBool, someText, text, type Part } from './wire.ts'

type Node = Readonly<Record<string, unknown>>

/** The document, from its JSON form. */
export async function encodeV3(json: object): Promise<Buffer> {
  const root = json as Node
  const info = root['info'] as Node
  const components = root['components'] as Node
  return document(
    text(1, root['openapi']),
    message(2, text(1, info['title']), text(6, info['version'])),
    message(4, await pairsInSteps<Node>(1, root['paths'], pathItem)),
    message(5,
      message(1, await pairsInSteps<Node>(1, components['schemas'], schemaOrReference)),
      message(7, pairs<Node>(1, components['securitySchemes'], (s) => [message(1, text(1, s['type']), text(2, s['description']), text(3, s['name']), text(4, s['in']))]))),
  )
}

const methods: Readonly<Record<string, number>> = { get: 4, put: 5, post: 6, delete: 7, options: 8, head: 9, patch: 10 }

const pathItem = (item: Node): readonly Part[] =>
  Object.entries(methods).filter(([method]) => item[method]).map(([method, no]) => message(no, ...operation(item[method] as Node)))

const operation = (o: Node): readonly Part[] => [
  eachText(1, o['tags']),
  text(3, o['description']),
  text(5, o['operationId']),
  each<Node>(6, o['parameters'], (p) => [message(1,
    text(1, p['name']), text(2, p['in']), text(3, p['description']), bool(4, p['required']), message(10, ...schemaOrReference(p['schema'] as Node)))]),
  o['requestBody'] ? message(7, message(1, mediaTypes(2, (o['requestBody'] as Node)['content']), bool(3, (o['requestBody'] as Node)['required']))) : none,
  message(8, pairs<Node>(2, o['responses'], (response) => [message(1, text(1, response['description']), mediaTypes(3, response['content']))])),
  extensions(13, o),
]

const mediaTypes = (no: number, content: unknown): Part =>
  (content ? message(no, pairs<Node>(1, content, (media) => (media['schema'] ? [message(1, ...schemaOrReference(media['schema'] as Node))] : []))) : none)

const schemaOrReference = (s: Node): readonly Part[] =>
  [typeof s['$ref'] === 'string' ? message(2, text(1, s['$ref']), text(3, s['description'])) : message(1, ...schema(s))]

function schema(s: Node): readonly Part[] {
  const additional = s['additionalProperties']
  return [
    ...constraints(s),
    eachText(23, s['required']),
    each(24, s['enum'], any),
    text(25, s['type']),
    each(26, s['allOf'], schemaOrReference),
    each(27, s['oneOf'], schemaOrReference),
    each(28, s['anyOf'], schemaOrReference),
    s['not'] ? message(29, ...schema(s['not'] as Node)) : none,
    s['items'] ? message(30, message(1, ...schemaOrReference(s['items'] as Node))) : none,
    s['properties'] ? message(31, pairs<Node>(1, s['properties'], schemaOrReference)) : none,
    additional === undefined ? none : message(32, typeof additional === 'boolean' ? someBool(2, additional) : message(1, ...schemaOrReference(additional as Node))),
    defaultOf(s['default']),
    text(34, s['description']),
    text(35, s['format']),
    extensions(36, s),
  ]
}

/** What values may be: in schemas of custom kinds. */
const constraints = (s: Node): readonly Part[] => [
  bool(1, s['nullable']), text(9, s['title']), number(10, s['multipleOf']), number(11, s['maximum']), bool(12, s['exclusiveMaximum']), number(13, s['minimum']), bool(14, s['exclusiveMinimum']),
  count(15, s['maxLength']), count(16, s['minLength']), text(17, s['pattern']), count(18, s['maxItems']), count(19, s['minItems']), bool(20, s['uniqueItems']), count(21, s['maxProperties']), count(22, s['minProperties']),
]

/** The format knows defaults that are numbers, booleans and texts. */
function defaultOf(value: unknown): Part {
  if (typeof value === 'number') return message(33, double(1, value))
  if (typeof value === 'boolean') return message(33, someBool(2, value))
  return typeof value === 'string' ? message(33, someText(3, value)) : none
}
