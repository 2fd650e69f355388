import { describe, expect, it } from 'vitest'
import { v3FromV2 } from './from-v2.ts'

const reference = { $ref: '#/definitions/a.Thing' }
const there = { $ref: '#/components/schemas/a.Thing' }

describe('a v2 document as v3', () => {
  it('has its schemas under components, and references to them; what stands beside a reference moves', () => {
    const definitions = { 'a.Thing': { type: 'object', properties: { self: reference, said: { ...reference, description: 'Said.', default: {} }, list: { type: 'array', items: reference }, map: { type: 'object', additionalProperties: reference } } } }
    expect(v3FromV2({ swagger: '2.0', info: { title: 'x' }, paths: {}, definitions })).toEqual({
      openapi: '3.0.0', info: { title: 'x' }, paths: {},
      components: { schemas: { 'a.Thing': { type: 'object', properties: { self: there, said: { allOf: [there], description: 'Said.', default: {} }, list: { type: 'array', items: there }, map: { type: 'object', additionalProperties: there } } } } },
    })
  })

  it('has bodies and answers by media type, and what parameters say of their values in schemas', () => {
    const post = {
      operationId: 'makeThing', consumes: ['*/*'], produces: ['application/json', 'application/yaml'], tags: ['a'], 'x-kubernetes-action': 'post',
      parameters: [{ name: 'body', in: 'body', required: true, schema: reference }, { name: 'dryRun', in: 'query', type: 'string', uniqueItems: true }],
      responses: { 200: { description: 'OK', schema: reference }, 401: { description: 'Unauthorized' } },
    }
    const content = { schema: there }
    expect(v3FromV2({ paths: { '/a': { post, parameters: [{ name: 'name', in: 'path', required: true, type: 'string', uniqueItems: true }] } } })['paths']).toEqual({ '/a': {
      post: {
        operationId: 'makeThing', tags: ['a'], 'x-kubernetes-action': 'post', requestBody: { content: { '*/*': content } },
        parameters: [{ name: 'dryRun', in: 'query', schema: { type: 'string', uniqueItems: true } }],
        responses: { 200: { description: 'OK', content: { 'application/json': content, 'application/yaml': content } }, 401: { description: 'Unauthorized' } },
      },
      parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string', uniqueItems: true } }],
    } })
  })

  it('leaves out what is of the wrong form', () => {
    expect(v3FromV2({ paths: 5, definitions: [1] } as never)).toEqual({ openapi: '3.0.0', paths: {}, components: { schemas: {} } })
    expect(v3FromV2({ paths: { '/a': { get: 'no', post: { parameters: 7, responses: [] } } } })['paths']).toEqual({ '/a': { post: { responses: {} } } })
  })
})
