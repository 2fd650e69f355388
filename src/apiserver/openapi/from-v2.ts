/** A v2 document as v3: for API servers behind this one that have no other. */

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const objectOf = (value: unknown): Json => (isObject(value) ? value : {})
const present = (entries: Json): Json => Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
const mapped = (value: unknown, each: (item: unknown, name: string) => unknown): Json => Object.fromEntries(Object.entries(objectOf(value)).map(([name, item]) => [name, each(item, name)]))
const extensionsOf = (value: Json): Json => Object.fromEntries(Object.entries(value).filter(([name]) => name.startsWith('x-')))

const schemasAt = '#/components/schemas/'

/** The document of the same paths and definitions. What is of the wrong form in it is left out. */
export function v3FromV2(swagger: Json): Json {
  return present({
    openapi: '3.0.0',
    info: swagger['info'],
    paths: mapped(swagger['paths'], (item) => pathItem(objectOf(item))),
    components: present({
      schemas: mapped(swagger['definitions'], schema),
      securitySchemes: isObject(swagger['securityDefinitions']) ? mapped(swagger['securityDefinitions'], (item) => securityScheme(objectOf(item))) : undefined,
    }),
    externalDocs: swagger['externalDocs'],
  })
}

function securityScheme(scheme: Json): Json {
  const { flow, authorizationUrl, tokenUrl, scopes, ...rest } = scheme
  return typeof flow === 'string' ? { ...rest, flows: { [flow]: present({ authorizationUrl, tokenUrl, scopes }) } } : rest
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

function pathItem(item: Json): Json {
  const operations = methods.filter((method) => isObject(item[method])).map((method) => [method, operation(item[method] as Json)])
  return { ...Object.fromEntries(operations), ...(Array.isArray(item['parameters']) ? { parameters: item['parameters'].map((one) => parameter(objectOf(one))) } : {}), ...extensionsOf(item) }
}

function operation(of: Json): Json {
  const parameters = (Array.isArray(of['parameters']) ? of['parameters'] : []).map(objectOf)
  const isBody = (one: Json): boolean => one['name'] === 'body' && isObject(one['schema'])
  const body = parameters.find(isBody)
  const others = parameters.filter((one) => !isBody(one)).map(parameter)
  const { tags, summary, description, externalDocs, operationId, deprecated } = of
  return present({
    tags, summary, description, externalDocs, operationId,
    parameters: others.length > 0 ? others : undefined,
    requestBody: body && { content: content(of['consumes'], body['schema']) },
    responses: mapped(of['responses'], (item, code) => (code.startsWith('x-') ? item : response(objectOf(item), of['produces']))),
    deprecated,
    ...extensionsOf(of),
  })
}

function response(of: Json, produces: unknown): Json {
  return present({ $ref: typeof of['$ref'] === 'string' ? of['$ref'].replace('#/responses/', '#/components/responses/') : undefined, description: of['description'], content: isObject(of['schema']) ? content(produces, of['schema']) : undefined, ...extensionsOf(of) })
}

/** The same schema in every media type. */
const content = (types: unknown, of: unknown): Json | undefined => (Array.isArray(types) ? Object.fromEntries(types.map((type) => [String(type), { schema: schema(of) }])) : undefined)

/** What a parameter says of its value moves into a schema. */
function parameter(of: Json): Json {
  if (typeof of['$ref'] === 'string') return { $ref: of['$ref'].replace('#/parameters/', '#/components/parameters/') }
  const { name, description, required, allowEmptyValue, type, format, uniqueItems } = of
  const simple = present({ type, format: format || undefined, uniqueItems: uniqueItems || undefined })
  return present({ name, in: of['in'], description, required: required || undefined, allowEmptyValue: allowEmptyValue || undefined, schema: isObject(of['schema']) ? schema(of['schema']) : simple, ...extensionsOf(of) })
}

/** A schema with its references where v3 has them: beside a reference nothing else can stand, so that it moves into `allOf`. */
function schema(value: unknown): unknown {
  if (!isObject(value)) return value
  const { $ref, ...rest } = value
  const out: Record<string, unknown> = { ...rest }
  for (const [name, item] of Object.entries(rest)) {
    if (name === 'properties') out[name] = mapped(item, schema)
    else if (name === 'additionalProperties' || name === 'additionalItems' || name === 'items' || name === 'allOf') out[name] = Array.isArray(item) ? item.map(schema) : schema(item)
  }
  if (typeof $ref !== 'string') return out
  const reference = { $ref: $ref.replace('#/definitions/', schemasAt) }
  return Object.keys(rest).length === 0 ? reference : { ...out, allOf: [reference] }
}
