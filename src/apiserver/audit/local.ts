/** Components in this process leave the same trail as clients over HTTP: a client whose every call is audited. */
import { randomUUID } from 'node:crypto'
import type { Resource } from '../../api/index.ts'
import type { Client, Patch } from '../../client/client.ts'
import { ApiError, internal } from '../../machinery/errors.ts'
import { parseRequestInfo, selectedName } from '../http/request-info.ts'
import type { RequestInfo } from '../http/request.ts'
import type { Identity } from '../identity.ts'
import type { AuditEdge, AuditTrail } from '../options.ts'

/** What the wrapped client is given beside the caller's options. */
interface Trailed { readonly trail?: AuditTrail }
/** The trail that a call goes on with. */
export const trailOf = (options: object): AuditTrail | undefined => (options as Trailed).trail

interface Options { readonly namespace?: string; readonly fieldSelector?: string; readonly labelSelector?: string; readonly subresource?: string; readonly resourceVersion?: string }
type Named = Pick<Resource, 'group' | 'version' | 'plural' | 'namespaced' | 'kind' | 'apiVersion'>
interface Target { readonly verb: string; readonly resource: Named; readonly name?: string | undefined; readonly namespace?: string | undefined; readonly subresource?: string | undefined; readonly options: Options }

function infoOf({ verb, resource, name = '', namespace = '', subresource = '', options }: Target): RequestInfo {
  const at = resource.namespaced ? namespace : ''
  const root = resource.group ? `/apis/${resource.group}/${resource.version}` : `/api/${resource.version}`
  const posted = verb === 'create' && !subresource ? '' : name
  const path = [root, ...(at ? ['namespaces', at] : []), resource.plural, ...(posted ? [posted] : []), ...(subresource ? [subresource] : [])].join('/')
  return {
    path, isResourceRequest: true, verb, group: resource.group, version: resource.version, namespace: at, resource: resource.plural, subresource, rest: '',
    name: posted || selectedName(options.fieldSelector ?? ''),
  }
}

/** The path with the query that the same call would have over HTTP. */
function uriOf({ path, verb }: RequestInfo, { labelSelector, fieldSelector, resourceVersion }: Options): string {
  const query = new URLSearchParams()
  if (verb === 'watch') query.set('watch', 'true')
  for (const [name, value] of Object.entries({ labelSelector, fieldSelector, resourceVersion })) if (value) query.set(name, value)
  return query.size > 0 ? `${path}?${query}` : path
}

const metadataOf = (object: unknown): { readonly name?: string; readonly namespace?: string } => (object as { metadata?: object }).metadata ?? {}
const kinded = ({ kind, apiVersion }: Named, object: unknown): object => ({ kind, apiVersion, ...(object as object) })
const noOptions: Options = {}

/** A client that acts as `user` and writes down what it does. */
export function auditedClient(client: Client, audit: AuditEdge, user: Identity): Client {
  const agent = `skiff (${user.name})`
  const begin = (info: RequestInfo, options: Options): Promise<AuditTrail> | AuditTrail | undefined =>
    audit.begin({ auditId: randomUUID(), info, uri: uriOf(info, options), user, headers: { 'user-agent': agent }, peer: '127.0.0.1' })

  const run = async <T>(target: Target, body: unknown, call: (options: never) => Promise<T>): Promise<T> => {
    const trail = await begin(infoOf(target), target.options)
    if (!trail) return call(target.options as never)
    if (body !== undefined) trail.requestObject(body)
    try {
      const result = await call({ ...target.options, trail } as never)
      if (result !== undefined) trail.responseObject(result)
      trail.finished(target.verb === 'create' ? 201 : 200)
      return result
    } catch (error) {
      fail(trail, error)
      throw error
    }
  }
  async function* watch(resource: Named, options: Options): AsyncGenerator<unknown> {
    const trail = await begin(infoOf({ verb: 'watch', resource, namespace: options.namespace, options }), options)
    if (!trail) return yield* client.watch(resource as never, options)
    try {
      trail.started(200)
      yield* client.watch(resource as never, { ...options, trail } as never)
    } catch (error) {
      fail(trail, error)
      throw error
    } finally {
      trail.finished(200)
    }
  }
  const change = (verb: string) => (resource: Named, object: unknown, options: Options = noOptions) => {
    const { name, namespace } = metadataOf(object)
    const subresource = verb === 'updateStatus' ? 'status' : options.subresource
    const method = verb as 'create'
    const target: Target = { verb: verb === 'updateStatus' ? 'update' : verb, resource, name, namespace: options.namespace ?? namespace, subresource, options }
    return run(target, kinded(resource, object), (o) => client[method](resource as never, object as never, o))
  }
  const audited = {
    get: (resource: Named, name: string, options: Options = noOptions) =>
      run({ verb: 'get', resource, name, namespace: options.namespace, options }, undefined, (o) => client.get(resource as never, name, o)),
    list: (resource: Named, options: Options = noOptions) =>
      run({ verb: 'list', resource, namespace: options.namespace, options }, undefined, (o) => client.list(resource as never, o)),
    watch: (resource: Named, options: Options = noOptions) => watch(resource, options),
    create: change('create'),
    update: change('update'),
    updateStatus: change('updateStatus'),
    patch: (resource: Named, name: string, patch: Patch, options: Options = noOptions) =>
      run({ verb: 'patch', resource, name, namespace: options.namespace, subresource: options.subresource, options }, patch.body, (o) => client.patch(resource as never, name, patch, o)),
    delete: (resource: Named, name: string, options: Options = noOptions) =>
      run({ verb: 'delete', resource, name, namespace: options.namespace, options }, undefined, (o) => client.delete(resource as never, name, o)),
    deleteCollection: (resource: Named, options: Options = noOptions) =>
      run({ verb: 'deletecollection', resource, namespace: options.namespace, options }, undefined, (o) => client.deleteCollection(resource as never, o)),
    createSubresource: (resource: Named, name: string, subresource: string, body: unknown, options: Options = noOptions) =>
      run({ verb: 'create', resource, name, namespace: options.namespace ?? metadataOf(body).namespace, subresource, options }, body, (o) => client.createSubresource(resource as never, name, subresource, body, o)),
    async raw(path: string, options: object = {}) {
      const info = parseRequestInfo('GET', path.split('?')[0] ?? path, new URLSearchParams(path.split('?')[1] ?? ''))
      const trail = await audit.begin({ auditId: randomUUID(), info, uri: path, user, headers: { 'user-agent': agent }, peer: '127.0.0.1' })
      if (!trail) return client.raw(path, options)
      try {
        const text = await client.raw(path, { ...options, trail } as object)
        trail.finished(200)
        return text
      } catch (error) {
        fail(trail, error)
        throw error
      }
    },
  }
  return audited as unknown as Client
}

function fail(trail: AuditTrail, error: unknown): void {
  const status = error instanceof ApiError ? error.status : internal(error instanceof Error ? error.message : String(error)).status
  trail.failed(status)
  if (!(error instanceof ApiError)) trail.panicked(error)
  trail.finished(status.code)
}
