/** For tests of edges: a server environment over a handful of objects. */
import { declared, type Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { notFound } from '../../machinery/errors.ts'
import { quiet } from '../../machinery/log.ts'
import { applyMergePatch } from '../../machinery/patch.ts'
import type { AdmissionAttributes } from '../admission/admission.ts'
import type { Identity } from '../identity.ts'
import type { Lister, ServerEnvironment } from '../options.ts'

/** An object, written loosely. */
export type Loose = { readonly kind: string; readonly metadata: { readonly name: string; readonly namespace?: string } } & Readonly<Record<string, unknown>>

export interface TestEnvironment extends Pick<ServerEnvironment, 'lister' | 'client' | 'clock' | 'log' | 'resources' | 'complete'> {
  readonly clock: FakeClock
  /** What is there; tests change it at will. */
  readonly objects: Loose[]
}

/** Listers and a client that get from `objects`, by kind. */
export function environment(...objects: Loose[]): TestEnvironment {
  const lister = (resource: Pick<Resource, 'kind'>): Lister<ApiObject> => ({
    get: (namespace, name) => of(resource.kind).find((o) => (o.metadata.namespace ?? '') === namespace && o.metadata.name === name),
    list: (namespace) => of(resource.kind).filter((o) => namespace === undefined || o.metadata.namespace === namespace),
    revision: () => objects.length,
    since: () => undefined,
  })
  const of = (kind: string): ApiObject[] => objects.filter((o) => o.kind === kind) as unknown as ApiObject[]
  const client = {
    get: async (resource: Resource, name: string, options: { readonly namespace?: string } = {}) => {
      const found = lister(resource).get(options.namespace ?? '', name)
      if (!found) throw notFound(resource, name)
      return found
    },
    /** Merge patches only. */
    patch: async (resource: Resource, name: string, { body }: { readonly body: object }, options: { readonly namespace?: string } = {}) => {
      const found = lister(resource).get(options.namespace ?? '', name)
      if (!found) throw notFound(resource, name)
      const next = applyMergePatch(found, body) as Loose
      objects[objects.indexOf(found as unknown as Loose)] = next
      return next
    },
  } as unknown as Client
  return { objects, client, clock: new FakeClock(), log: quiet, complete: (_, object) => object, resources: () => declared, lister: lister as unknown as ServerEnvironment['lister'] }
}

export interface Wanted {
  readonly operation?: AdmissionAttributes['operation']
  readonly subresource?: string
  readonly old?: Loose
  readonly user?: Identity
  readonly name?: string
}

/** The attributes of a write, with who makes it and what is warned about. */
export function attributesOf(resource: unknown, object: Loose | undefined, wanted: Wanted = {}): AdmissionAttributes & { readonly warnings: string[]; readonly annotations: Record<string, string> } {
  const about = object ?? wanted.old
  const name = wanted.name ?? about?.metadata.name ?? ''
  const namespace = about?.metadata.namespace ?? ''
  const warnings: string[] = []
  const annotations: Record<string, string> = {}
  const { operation = 'CREATE', subresource = '', user = { name: 'ana', groups: ['system:authenticated'] } } = wanted
  return {
    operation, resource: resource as Resource, subresource, namespace, name, warnings, annotations, options: {},
    object: object as unknown as ApiObject | undefined,
    old: wanted.old as unknown as ApiObject | undefined,
    context: {
      user, verb: operation.toLowerCase(), subresource, namespace, name, dryRun: false, now: 0,
      warn: (text) => void warnings.push(text),
      annotate: (key, value) => void (annotations[key] ??= value),
    },
  }
}
