/** OpenAPI v2 as `openapi.v2.Document` in protobuf: what clients up to 1.28 ask for, and take no other form. */
import { any, bool, count, document, each, eachText, extensions, message, none, number, pairs, pairsInSteps, someBool, text, type Part } from './wire.ts'

type Node = Readonly<Record<string, unknown>>

/** The document, from its JSON form. */
export async function encodeV2(json: object): Promise<Buffer> {
  const root = json as Node
  const info = root['info'] as Node
  return document(
    text(1, root['swagger']),
    message(2, text(1, info['title']), text(2, info['version'])),
    message(8, await pairsInSteps<Node>(2, root['paths'], pathItem)),
    message(9, await pairsInSteps<Node>(1, root['definitions'], schema)),
    each<Node>(12, root['security'], (requirement) => [pairs<string[]>(1, requirement, (scopes) => [eachText(1, scopes)])]),
    message(13, pairs<Node>(1, root['securityDefinitions'], (d) => [message(2, text(1, d['type']), text(2, d['name']), text(3, d['in']), text(4, d['description']))])),
  )
}

const methods: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 }

const pathItem = (item: Node): readonly Part[] =>
  Object.entries(methods).filter(([method]) => item[method]).map(([method, no]) => message(no, ...operation(item[method] as Node)))

const operation = (o: Node): readonly Part[] => [
  eachText(1, o['tags']),
  text(3, o['description']),
  text(5, o['operationId']),
  eachText(6, o['produces']),
  eachText(7, o['consumes']),
  each<Node>(8, o['parameters'], (parameter) => [message(1, parameterOf(parameter))]),
  message(9, pairs<Node>(1, o['responses'], (response) => [
    message(1, text(1, response['description']), response['schema'] ? message(2, message(1, ...schema(response['schema'] as Node))) : none),
  ])),
  eachText(10, o['schemes']),
  extensions(13, o),
]

function parameterOf(p: Node): Part {
  if (p['in'] === 'body') return message(1, text(1, p['description']), text(2, p['name']), text(3, p['in']), bool(4, p['required']), message(5, ...schema(p['schema'] as Node)))
  const common = [bool(1, p['required']), text(2, p['in']), text(3, p['description']), text(4, p['name'])]
  if (p['in'] === 'path') return message(2, message(4, ...common, text(5, p['type']), bool(19, p['uniqueItems'])))
  return message(2, message(3, ...common, text(6, p['type']), bool(20, p['uniqueItems'])))
}

/** What values may be: in schemas of custom kinds. */
const constraints = (s: Node): readonly Part[] => [
  number(6, s['multipleOf']), number(7, s['maximum']), bool(8, s['exclusiveMaximum']), number(9, s['minimum']), bool(10, s['exclusiveMinimum']), count(11, s['maxLength']), count(12, s['minLength']), text(13, s['pattern']),
  count(14, s['maxItems']), count(15, s['minItems']), bool(16, s['uniqueItems']), count(17, s['maxProperties']), count(18, s['minProperties']),
]

function schema(s: Node): readonly Part[] {
  const additional = s['additionalProperties']
  return [
    text(1, s['$ref']),
    text(2, s['format']),
    text(3, s['title']),
    text(4, s['description']),
    s['default'] === undefined ? none : message(5, ...any(s['default'])),
    ...constraints(s),
    eachText(19, s['required']),
    each(20, s['enum'], any),
    additional === undefined ? none : message(21, typeof additional === 'boolean' ? someBool(2, additional) : message(1, ...schema(additional as Node))),
    typeof s['type'] === 'string' ? message(22, text(1, s['type'])) : none,
    s['items'] ? message(23, message(1, ...schema(s['items'] as Node))) : none,
    s['properties'] ? message(25, pairs<Node>(1, s['properties'], schema)) : none,
    extensions(31, s),
  ]
}
