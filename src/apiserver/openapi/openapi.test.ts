import { beforeAll, describe, expect, it } from 'vitest'
import { declared } from '../../api/index.ts'
import { ask } from '../testing/ask.ts'
import { createOpenApi } from './openapi.ts'

interface Schema { readonly [key: string]: unknown; readonly properties?: Record<string, Schema>; readonly required?: string[] }
interface Operation { readonly parameters: { name: string; in: string }[]; readonly 'x-kubernetes-group-version-kind': object; readonly 'x-kubernetes-action': string }
interface V3 { readonly paths: Record<string, Record<string, Operation>>; readonly components: { readonly schemas: Record<string, Schema> } }

const openapi = createOpenApi(() => declared)
const pod = 'io.k8s.api.core.v1.Pod'
let core: V3

beforeAll(async () => {
  core = (await ask<V3>(openapi, '/openapi/v3/api/v1')).json
})

describe('v3', () => {
  it('says in the index where each group version is, with the hash of its document', async () => {
    const { json } = await ask<{ paths: Record<string, { serverRelativeURL: string }> }>(openapi, '/openapi/v3')
    expect(Object.keys(json.paths)).toContain('api/v1')
    const url = json.paths['apis/apps/v1']?.serverRelativeURL ?? ''
    expect(url).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]+$/)
    const document = await ask(openapi, url)
    expect(document.headers['etag']).toBe(`"${url.split('=')[1]}"`)
    expect(document.headers['cache-control']).toContain('immutable')
  })

  it('refers to nothing that is not there', async () => {
    for (const version of new Set(declared.map((r) => (r.group ? `apis/${r.apiVersion}` : 'api/v1')))) {
      const { text, json } = await ask<V3>(openapi, `/openapi/v3/${version}`)
      const missing = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((m) => m[1] as string).filter((name) => !json.components.schemas[name])
      expect(missing, version).toEqual([])
    }
  })

  it('says of lists how they are merged', () => {
    expect(core.components.schemas['io.k8s.api.core.v1.PodSpec']?.properties?.['containers']).toMatchObject({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
    })
    expect(core.components.schemas['io.k8s.api.core.v1.PodSpec']?.required).toEqual(['containers'])
  })

  it('names the kind of a schema, and puts inlined parts where they stand on the wire', () => {
    expect(core.components.schemas[pod]?.['x-kubernetes-group-version-kind']).toEqual([{ group: '', version: 'v1', kind: 'Pod' }])
    expect(Object.keys(core.components.schemas['io.k8s.api.core.v1.Probe']?.properties ?? {})).toEqual(expect.arrayContaining(['httpGet', 'exec', 'periodSeconds']))
  })

  it('lets kubectl see that writes can be validated and tried out', () => {
    const patch = core.paths['/api/v1/namespaces/{namespace}/pods/{name}']?.['patch']
    expect(patch?.['x-kubernetes-group-version-kind']).toEqual({ group: '', version: 'v1', kind: 'Pod' })
    expect(patch?.parameters.filter((p) => p.in === 'query').map((p) => p.name)).toEqual(expect.arrayContaining(['dryRun', 'fieldManager', 'fieldValidation', 'force']))
  })

  it('describes streams, proxies and foreign subresources', () => {
    const item = '/api/v1/namespaces/{namespace}/pods/{name}'
    expect(core.paths[`${item}/log`]?.['get']?.parameters.map((p) => p.name)).toEqual(expect.arrayContaining(['follow', 'tailLines']))
    expect(core.paths[`${item}/exec`]?.['post']?.['x-kubernetes-action']).toBe('connect')
    expect(core.paths[`${item}/proxy/{path}`]?.['delete']).toBeDefined()
    expect(core.paths[`${item}/eviction`]?.['post']?.['x-kubernetes-group-version-kind']).toEqual({ group: 'policy', version: 'v1', kind: 'Eviction' })
  })
})

describe('v2', () => {
  it('is one document without dangling references and with every kind', async () => {
    const { text, json } = await ask<{ swagger: string; definitions: Record<string, Schema> }>(openapi, '/openapi/v2')
    expect(json.swagger).toBe('2.0')
    expect([...text.matchAll(/"#\/definitions\/([^"]+)"/g)].filter((m) => !json.definitions[m[1] as string])).toEqual([])
    const kinds = Object.values(json.definitions).flatMap((d) => (d['x-kubernetes-group-version-kind'] as { group: string; version: string; kind: string }[] | undefined) ?? [])
    for (const { group, version, kind } of declared) expect(kinds).toContainEqual({ group, version, kind })
  })

  it('gives every operation an id of its own', async () => {
    const { text } = await ask(openapi, '/openapi/v2')
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map((m) => m[1])
    expect(ids.length - new Set(ids).size).toBe(0)
  })
})

describe('in protobuf', () => {
  const v2 = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

  it('is sent to clients that take nothing else, under a media type that can be parsed', async () => {
    const { headers, text } = await ask(openapi, '/openapi/v2', { accept: v2 })
    expect(headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
    expect(text).toContain('#/definitions/io.k8s.api.core.v1.PodSpec')
  })

  it('leaves JSON to those who ask for JSON first', async () => {
    const { headers } = await ask(openapi, '/openapi/v2', { accept: `application/json, ${v2}` })
    expect(headers['content-type']).toBe('application/json')
  })

  it('refuses forms that nobody speaks', async () => {
    await expect(ask(openapi, '/openapi/v2', { accept: 'text/html' })).rejects.toMatchObject({ code: 406 })
  })
})
