/** AppArmor profiles in annotations, as pods named them before v1.30: what the node goes by is the field. */
import type { core } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { mapped } from '../defaulting.ts'
import { appArmorPrefix, useAppArmorField } from './pod-warnings.ts'

const longestProfile = 4095
const localhost = 'localhost/'

/** The profile that an annotation names; undefined when it names none that a field could hold. */
function profileOf(annotation: string): core.AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  if (!annotation.startsWith(localhost)) return undefined
  const localhostProfile = annotation.slice(localhost.length)
  const usable = localhostProfile !== '' && localhostProfile.trim() === localhostProfile && Buffer.byteLength(localhostProfile) <= longestProfile
  return usable ? { type: 'Localhost', localhostProfile } : undefined
}

/** A new pod whose containers are confined as its annotations say: without the field they would run under another profile. A field that is there stays. */
export function withAnnotatedProfiles(pod: core.Pod, warn: (text: string) => void): core.Pod {
  const annotations = pod.metadata.annotations
  if (!annotations || pod.spec.os?.name === 'windows') return pod
  if (!Object.keys(annotations).some((key) => key.startsWith(appArmorPrefix))) return pod
  const ofPod = pod.spec.securityContext?.appArmorProfile
  const confined = <C extends core.Container | core.EphemeralContainer>(container: C): C => {
    const key = appArmorPrefix + container.name
    const annotation = annotations[key]
    if (annotation === undefined || container.securityContext?.appArmorProfile) return container
    const profile = profileOf(annotation)
    const isNew = profile !== undefined && !deepEqual(profile, ofPod)
    if (!profile || isNew) warn(`${path('metadata').at('annotations').key(key)}: ${useAppArmorField}`)
    return isNew ? { ...container, securityContext: { ...container.securityContext, appArmorProfile: profile } } : container
  }
  const { spec } = pod
  return {
    ...pod,
    spec: {
      ...spec,
      containers: mapped(spec.containers, confined),
      ...(spec.initContainers && { initContainers: mapped(spec.initContainers, confined) }),
      ...(spec.ephemeralContainers && { ephemeralContainers: mapped(spec.ephemeralContainers, confined) }),
    },
  }
}
