/** Where containers see volumes: as directories (mounts) or as block devices. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { ifThere, named } from '../../checks.ts'
import { climbs, descendingPath } from './paths.ts'

export type Volumes = ReadonlyMap<string, core.Volume>
type Mounting = Pick<core.Container, 'volumeMounts' | 'volumeDevices' | 'securityContext'>

/** Mounts: of volumes that exist, each at a place of its own. */
export function volumeMounts(at: Place, container: Mounting, mounts: readonly core.VolumeMount[], volumes: Volumes): void {
  const places = mounts.length > 1 ? new Set<string>() : undefined
  const devices = container.volumeDevices
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i]!
    const here = at.index(i)
    named(here.at('name'), mount.name)
    if (!volumes.has(mount.name)) here.at('name').notFound(mount.name)
    named(here.at('mountPath'), mount.mountPath)
    if (places?.has(mount.mountPath)) here.at('mountPath').invalid(mount.mountPath, 'must be unique')
    places?.add(mount.mountPath)
    if (devices?.some((device) => device.name === mount.name)) here.at('name').invalid(mount.name, 'must not already exist in volumeDevices')
    if (devices?.some((device) => device.devicePath === mount.mountPath)) here.at('mountPath').invalid(mount.mountPath, 'must not already exist as a path in volumeDevices')
    // What follows stands at the list as a whole in Kubernetes's errors.
    if (mount.subPath) descendingPath(at.at('subPath'), mount.subPath)
    if (mount.subPathExpr) {
      if (mount.subPath) here.at('subPathExpr').invalid(mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive')
      descendingPath(at.at('subPathExpr'), mount.subPathExpr)
    }
    if (mount.mountPropagation !== undefined) propagation(at, mount, container)
    if (mount.recursiveReadOnly !== undefined) recursiveReadOnly(at.at('recursiveReadOnly'), mount)
  }
}

function propagation(at: Place, mount: core.VolumeMount, container: Mounting): void {
  ifThere(at.at('mountPropagation'), mount.mountPropagation, ['Bidirectional', 'HostToContainer', 'None'])
  if (mount.mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
    at.at('mountPropagation').forbidden('Bidirectional mount propagation is available only to privileged containers')
  }
}

function recursiveReadOnly(at: Place, mount: core.VolumeMount): void {
  const wanted = mount.recursiveReadOnly
  ifThere(at, wanted, ['Disabled', 'Enabled', 'IfPossible'])
  if (wanted !== 'Enabled' && wanted !== 'IfPossible') return
  if (!mount.readOnly) at.forbidden('may only be specified when readOnly is true')
  if (mount.mountPropagation && mount.mountPropagation !== 'None') at.forbidden('may only be specified when mountPropagation is None or not specified')
}

/** Block devices: of claims, each at a path and under a name of its own. */
export function volumeDevices(at: Place, container: Mounting, volumes: Volumes): void {
  if (!container.volumeDevices?.length) return
  const paths = new Set<string>()
  const names = new Set<string>()
  const mounted = new Set((container.volumeMounts ?? []).map((m) => m.mountPath))
  const mountedNames = new Set((container.volumeMounts ?? []).map((m) => m.name))
  for (const [i, device] of (container.volumeDevices ?? []).entries()) {
    const here = at.index(i)
    named(here.at('name'), device.name)
    if (names.has(device.name)) here.at('name').invalid(device.name, 'must be unique')
    names.add(device.name)
    const volume = volumes.get(device.name)
    if (!volume) here.at('name').notFound(device.name)
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      here.at('name').invalid(device.name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode')
    }
    named(here.at('devicePath'), device.devicePath)
    if (climbs(device.devicePath)) here.at('devicePath').invalid(device.devicePath, "can not contain backsteps ('..')")
    if (paths.has(device.devicePath)) here.at('devicePath').invalid(device.devicePath, 'must be unique')
    if (mountedNames.has(device.name)) here.at('name').invalid(device.name, 'must not already exist in volumeMounts')
    if (mounted.has(device.devicePath)) here.at('devicePath').invalid(device.devicePath, 'must not already exist as a path in volumeMounts')
    paths.add(device.devicePath)
  }
}
