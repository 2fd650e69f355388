/** Requests for resources: finds who serves the path (the verbs of stored objects, subresources, computed resources, actions) and hands over. */
import { declared } from '../../api/index.ts'
import { ApiError, methodNotAllowed, notFound, unknownResource } from '../../machinery/errors.ts'
import { formatOf } from '../encoding/negotiate.ts'
import type { Served } from '../registry/served.ts'
import { subresourceOf } from '../registry/subresources.ts'
import { onAction } from './actions.ts'
import { compute } from './computed.ts'
import { includeOf } from './options.ts'
import type { ApiRequest, ApiResponse, RequestInfo } from './request.ts'
import type { ResourceEnvironment } from './resource-request.ts'
import { noSuchPage, tellEarly, warnEarly } from './respond.ts'
import { onSubresource } from './subresources.ts'
import { verbs } from './verbs.ts'

/** 404: in a built-in group as a `Status`, elsewhere as an unknown page. */
const nowhere = ({ group }: Pick<RequestInfo, 'group'>): ApiError => (group === '' || declared.some((resource) => resource.group === group) ? unknownResource() : noSuchPage())

/** Verbs of one object. The others are of the collection, where a name comes only from a field selector or a watch. */
const onObject = new Set(['get', 'update', 'patch', 'delete'])

/** Throws `ApiError` 404 or 405 when the verb is not served at the path. */
export function checkPlace({ resource, custom }: Served, { verb, name, namespace }: RequestInfo): void {
  if (!(resource.verbs as readonly string[]).includes(verb)) throw methodNotAllowed()
  // Custom resources have no paths but those that they are served at.
  if (resource.namespaced && !namespace && verb !== 'list' && verb !== 'watch') throw name || custom ? nowhere(resource) : methodNotAllowed()
  if (onObject.has(verb) ? !name : verb === 'create' && name) throw methodNotAllowed()
}

/** Kubernetes's warnings for deprecated resources, by `groupResource`. */
const deprecated: Readonly<Record<string, string>> = {
  componentstatuses: 'v1 ComponentStatus is deprecated in v1.19+',
  endpoints: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}

const reading = new Set(['get', 'list', 'watch'])

/** A write must not be made if its answer could not be sent. Throws `ApiError` 400, 406. */
function checkAnswerable({ headers, query }: ApiRequest, served: Served | undefined): void {
  formatOf(headers.accept, served?.custom !== undefined)
  if (query.size) includeOf(query)
}

/** Answers a request for a resource. Throws `ApiError`. */
export function handleResource(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse): Promise<void> | void {
  const { info } = request
  const { registry, routes } = env
  const resource = registry.resource(info.group, info.version, info.resource)
  if (!resource) throw nowhere(info)
  const old = deprecated[resource.groupResource]
  if (old) {
    warnEarly(request, old)
    request.trail?.annotate('k8s.io/deprecated', 'true')
  }
  if (info.subresource) {
    const handler = routes.subresource?.(resource.groupResource, info.subresource)
    if (handler) tellEarly(request, response)
    if (handler) return handler(request, response)
  }
  if (info.namespace && !resource.namespaced && resource.plural !== 'namespaces') throw nowhere(info)
  const served = registry.find(info.group, info.version, info.resource)
  if (!reading.has(info.verb)) checkAnswerable(request, served)
  const name = info.subresource ? `${resource.groupResource}/${info.subresource}` : resource.groupResource
  const virtual = routes.virtual?.get(name)
  if (virtual) return compute(env, request, response, resource, virtual)
  const acted = onAction(env, request, response, resource, name)
  if (acted) return acted
  if (!served) throw methodNotAllowed()
  if (served.custom?.deprecation) warnEarly(request, served.custom.deprecation)
  if (info.subresource) {
    const sub = subresourceOf(served, info.subresource)
    if (!sub) throw served.custom ? notFound(served.resource, info.name) : nowhere(info)
    return onSubresource(env, request, response, served, sub)
  }
  checkPlace(served, info)
  return verbs[info.verb]!(env, request, response, served)
}
