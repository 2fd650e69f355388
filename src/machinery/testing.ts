/** For tests of the codecs: the golden objects of every kind, from `../shared/golden` beside the project. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as api from '../api/index.ts'
import type { StructType } from '../api/schema.ts'

const folder = resolve(import.meta.dirname, '../../../shared/golden')

/** Where the golden objects are; undefined when the project stands alone. */
export const goldenFolder: string | undefined = existsSync(folder) ? folder : undefined

/** How many golden objects there are. */
export const goldenCount: number = goldenFolder ? readdirSync(goldenFolder).filter((file) => file.endsWith('.json')).length : 0

/** The name in the golden files for a group: `core` for the empty one. */
const rooms: Readonly<Record<string, object>> = {
  'core.v1': api.core, 'admission.k8s.io.v1': api.admission, 'admissionregistration.k8s.io.v1': api.admissionregistration, 'apidiscovery.k8s.io.v2': api.apidiscovery,
  'apps.v1': api.apps, 'authentication.k8s.io.v1': api.authentication, 'authorization.k8s.io.v1': api.authorization, 'autoscaling.v1': api.autoscalingV1,
  'autoscaling.v2': api.autoscaling, 'batch.v1': api.batch, 'certificates.k8s.io.v1': api.certificates, 'coordination.k8s.io.v1': api.coordination,
  'discovery.k8s.io.v1': api.discovery, 'events.k8s.io.v1': api.events, 'flowcontrol.apiserver.k8s.io.v1': api.flowcontrol, 'networking.k8s.io.v1': api.networking,
  'node.k8s.io.v1': api.node, 'policy.v1': api.policy, 'rbac.authorization.k8s.io.v1': api.rbac, 'resource.k8s.io.v1': api.dra,
  'scheduling.k8s.io.v1': api.scheduling, 'storage.k8s.io.v1': api.storage,
}

export interface Golden {
  readonly file: string
  readonly kind: string
  readonly type: StructType
  readonly json: string
  readonly protobuf: Uint8Array
}

/** Every golden object whose kind the schema states. */
export function goldens(): Golden[] {
  if (!goldenFolder) return []
  return readdirSync(goldenFolder).filter((file) => file.endsWith('.json')).flatMap((name) => {
    const file = name.slice(0, -'.json'.length)
    const dot = file.lastIndexOf('.')
    const kind = file.slice(dot + 1)
    const room = rooms[file.slice(0, dot)] as Record<string, StructType> | undefined
    const type = room?.[kind] ?? (api.meta as unknown as Record<string, StructType>)[kind]
    if (!type) return []
    const read = (extension: string) => readFileSync(join(goldenFolder as string, file + extension))
    return [{ file, kind, type, json: read('.json').toString(), protobuf: read('.pb') }]
  })
}
