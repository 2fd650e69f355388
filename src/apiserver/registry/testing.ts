/** For tests of strategies: objects as the registry would make them, and what a strategy reports about them. */
import type { Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import { found, type Place } from '../../machinery/field.ts'
import { applyDefaults } from '../../machinery/defaults.ts'
import { decodeObject } from '../../machinery/json.ts'
import type { Cell, RequestContext, Strategy, StrategyEnvironment } from '../strategy.ts'
import { strategyFor } from './strategies.ts'

export const now = Date.parse('2026-01-01T12:00:00Z')

const noClient = new Proxy({}, { get: (_, name) => () => Promise.reject(new Error(`no client in this test: ${String(name)}`)) }) as unknown as Client
export const environment: StrategyEnvironment = { client: noClient, serviceCidr: '10.96.0.0/16', nodePorts: [30000, 32767] }

export function context(given: Partial<RequestContext> = {}): RequestContext {
  return { user: { name: 'tester', groups: [] }, verb: 'create', subresource: '', namespace: 'default', name: '', dryRun: false, now, warn: () => undefined, annotate: () => undefined, ...given }
}

/** The object with all defaults, as it is before admission. Written loosely: tests leave out what the schema fills in. */
export function complete<T extends ApiObject, I>(resource: Resource<T, I>, written: object): T {
  const strategy = strategyFor(resource as unknown as Resource, environment)
  const type = resource.type as Parameters<typeof decodeObject<T>>[0]
  const { object } = decodeObject(type, { kind: resource.kind, apiVersion: resource.apiVersion, ...written })
  const filled = applyDefaults(type, object)
  return (strategy.default?.(filled) ?? filled) as T
}

/** The object as a create would store it. */
export function created<T extends ApiObject, I>(resource: Resource<T, I>, written: object, ctx = context()): T {
  const strategy = strategyFor(resource as unknown as Resource, environment)
  const object = complete(resource, written)
  return (strategy.prepareForCreate?.(object, ctx) ?? object) as T
}

/** The errors of a create, one line each. */
export function createErrors<T extends ApiObject, I>(resource: Resource<T, I>, written: object, ctx = context()): string[] {
  const strategy = strategyFor(resource as unknown as Resource, environment)
  return found((root) => strategy.validate?.(created(resource, written, ctx), root, ctx)).map(String)
}

/** The object as an update would store it. */
export function updated<T extends ApiObject, I>(resource: Resource<T, I>, next: object, current: T, ctx = context({ verb: 'update' })): T {
  const strategy = strategyFor(resource as unknown as Resource, environment)
  const object = complete(resource, next)
  return (strategy.prepareForUpdate?.(object, current, ctx) ?? object) as T
}

/** The errors of an update, one line each. */
export function updateErrors<T extends ApiObject, I>(resource: Resource<T, I>, next: object, current: T, ctx = context({ verb: 'update' })): string[] {
  const strategy: Strategy = strategyFor(resource as unknown as Resource, environment)
  const prepared = updated(resource, next, current, ctx)
  const check = (root: Place) => (strategy.validateUpdate ? strategy.validateUpdate(prepared, current, root, ctx) : strategy.validate?.(prepared, root, ctx))
  return found(check).map(String)
}

/** The errors of an update of the status, one line each. */
export const statusErrors = <T extends ApiObject>(strategy: Strategy<T>, next: T, current: T): string[] =>
  found((root) => strategy.validateStatusUpdate?.(next, current, root, context({ verb: 'update', subresource: 'status' }))).map(String)

/** The cells that `kubectl get` shows, by column; with `-o wide` all of them. */
export function row<T extends ApiObject, I>(resource: Resource<T, I>, object: T): Readonly<Record<string, Cell | undefined>> {
  const { printer } = strategyFor(resource as unknown as Resource, environment)
  const cells = printer?.row(object, now) ?? []
  return Object.fromEntries((printer?.columns ?? []).map((column, i) => [column.name, cells[i]]))
}
