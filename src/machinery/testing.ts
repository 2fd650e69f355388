/**
 * For tests: which errors are refusals, and one object of every kind with every field set, in JSON and in protobuf, as Kubernetes writes them.
 * `golden.json` is Kubernetes's own test data (k8s.io/api v0.36, testdata/HEAD; Apache-2.0), a line for each form of each object.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as api from '../api/index.ts'
import type { StructType } from '../api/schema.ts'
import { isApiError } from './errors.ts'

/** The types of a group and version, by the names that the golden objects have for them. */
const rooms: Readonly<Record<string, object>> = {
  'core.v1': api.core, 'admission.k8s.io.v1': api.admission, 'admissionregistration.k8s.io.v1': api.admissionregistration, 'apidiscovery.k8s.io.v2': api.apidiscovery,
  'apps.v1': api.apps, 'authentication.k8s.io.v1': api.authentication, 'authorization.k8s.io.v1': api.authorization, 'autoscaling.v1': api.autoscalingV1,
  'autoscaling.v2': api.autoscaling, 'batch.v1': api.batch, 'certificates.k8s.io.v1': api.certificates, 'coordination.k8s.io.v1': api.coordination,
  'discovery.k8s.io.v1': api.discovery, 'events.k8s.io.v1': api.events, 'flowcontrol.apiserver.k8s.io.v1': api.flowcontrol, 'networking.k8s.io.v1': api.networking,
  'node.k8s.io.v1': api.node, 'policy.v1': api.policy, 'rbac.authorization.k8s.io.v1': api.rbac, 'resource.k8s.io.v1': api.dra,
  'scheduling.k8s.io.v1': api.scheduling, 'storage.k8s.io.v1': api.storage,
}

export interface Golden {
  /** `apps.v1.Deployment` */
  readonly name: string
  readonly kind: string
  readonly type: StructType
  readonly json: string
  readonly protobuf: Uint8Array
}

/** Every golden object. Throws for one whose kind the schema does not state. */
export function goldens(): Golden[] {
  const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'golden.json'), 'utf8')) as Record<string, { readonly object: object; readonly protobuf: string }>
  return Object.entries(recorded).map(([name, { object, protobuf }]) => {
    const dot = name.lastIndexOf('.')
    const kind = name.slice(dot + 1)
    const room = rooms[name.slice(0, dot)] as Record<string, StructType> | undefined
    const type = room?.[kind] ?? (api.meta as unknown as Record<string, StructType>)[kind]
    if (!type) throw new Error(`the schema does not state ${name}`)
    return { name, kind, type, json: JSON.stringify(object), protobuf: Buffer.from(protobuf, 'base64') }
  })
}

/** Runs what may refuse its input: undefined for an `ApiError`; any other error is thrown on. */
export function onlyApiErrors<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (!isApiError(error)) throw error
    return undefined
  }
}
