/** Actions: POST to a subresource that does something to the object, such as `pods/binding` and `pods/eviction`. */
import type { Resource } from '../../api/index.ts'
import { methodNotAllowed } from '../../machinery/errors.ts'
import { formatOf } from '../encoding/negotiate.ts'
import { actionOf, bindingCall, runAction, type Action } from '../registry/actions.ts'
import type { Served } from '../registry/served.ts'
import { writeQuery } from './options.ts'
import type { ApiRequest, ApiResponse } from './request.ts'
import { bodyAs, callOf, type ResourceEnvironment } from './resource-request.ts'
import { sendAny, statusType } from './resource-response.ts'

/** Serves POST of the action's body; undefined when the resource has no such action. `name`: the `groupResource`, with the subresource. */
export function onAction(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, resource: Resource, name: string): Promise<void> | undefined {
  const served = env.registry.find(resource.group, resource.version, resource.plural)
  const action = name === 'bindings' ? actionOf('pods/binding') : actionOf(name)
  if (!action || (!served && name !== 'bindings')) return undefined
  if (request.info.verb !== 'create') throw methodNotAllowed()
  formatOf(request.headers.accept, false, true)
  return run(env, request, response, served ?? env.registry.find('', 'v1', 'pods')!, name, action)
}

async function run(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, pods: Served, name: string, action: Action): Promise<void> {
  const { registry } = env
  const warnings = (request.warnings = [] as string[])
  const call = callOf(env, request, pods, { ...writeQuery(request, 'CreateOptions'), warnings })
  const body = await bodyAs(request, call, { type: action.type, kind: action.type.name, apiVersion: action.apiVersion, ...(action.also ? { also: action.also } : {}) })
  const target = name === 'bindings' ? bindingCall(registry, call, body).call : call
  await sendAny({ env, request, response, code: 201, warnings }, await runAction(registry, target, action, body), statusType)
}
