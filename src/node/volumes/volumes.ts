/** A pod's volumes on this node: made before its containers, kept up to date, gone after it. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '../../api/index.ts'
import { parseQuantity } from '../../machinery/quantity.ts'
import { allEnded } from '../all-ended.ts'
import { podUid, type Directories } from '../context.ts'
import { writeAtomically } from './atomic-writer.ts'
import { claimPath } from './claims.ts'
import { hostPath } from './host-path.ts'
import { isTmpfs, mountsBelow, mountTmpfs, unmountBelow } from './mounts.ts'
import { applyFsGroup } from './ownership.ts'
import { configMapFiles, createTokens, downwardFiles, projectedFiles, secretFiles, type Files, type ProjectionSources } from './projection.ts'

/** A volume that could not be made ready. */
export class VolumeError extends Error {
  readonly volume: string
  constructor(volume: string, message: string) {
    super(`MountVolume.SetUp failed for volume ${JSON.stringify(volume)} : ${message}`)
    this.name = 'VolumeError'
    this.volume = volume
  }
}

const volumeError = ({ name }: core.Volume, error: unknown): VolumeError => new VolumeError(name, error instanceof Error ? error.message : String(error))

export interface PodVolumes {
  /** Makes every volume ready, in parallel. Resolves with their host paths by name; rejects with a `VolumeError`. Safe to repeat. */
  prepare(pod: core.Pod): Promise<ReadonlyMap<string, string>>
  /** Brings volumes that show API objects up to date, each for itself. Resolves with what went wrong; those volumes stay as they were. */
  refresh(pod: core.Pod): Promise<readonly VolumeError[]>
  /** Unmounts and deletes all that belongs to the pod. */
  cleanup(uid: string): Promise<void>
  /** `pods/<uid>`: hosts file, termination messages, subpath mounts. */
  podDirectory(uid: string): string
}

export function createVolumes(directories: Directories, sources: ProjectionSources): PodVolumes {
  const tokens = createTokens(sources)
  const podDirectory = (uid: string) => join(directories.data, 'pods', uid)
  const fsGroup = (pod: core.Pod) => (pod.spec.securityContext?.fsGroup === undefined ? {} : { fsGroup: pod.spec.securityContext.fsGroup })

  const filesOf = async (pod: core.Pod, v: core.Volume): Promise<{ files: Files; secret: boolean; plugin: string } | undefined> => {
    if (v.configMap) return { files: await configMapFiles(sources, pod, v.configMap, v.configMap.defaultMode ?? 0o644), secret: false, plugin: 'configmap' }
    if (v.secret) return { files: await secretFiles(sources, pod, { name: v.secret.secretName, items: v.secret.items, optional: v.secret.optional }, v.secret.defaultMode ?? 0o644), secret: true, plugin: 'secret' }
    if (v.downwardAPI) return { files: downwardFiles(sources, pod, v.downwardAPI.items, v.downwardAPI.defaultMode ?? 0o644), secret: false, plugin: 'downward-api' }
    if (v.projected) return { files: await projectedFiles(sources, tokens, pod, v.projected), secret: true, plugin: 'projected' }
    return undefined
  }

  const show = async (pod: core.Pod, v: core.Volume): Promise<string | undefined> => {
    const shown = await filesOf(pod, v)
    if (!shown) return undefined
    const base = shown.secret ? join(directories.memory, podUid(pod)) : join(podDirectory(podUid(pod)), 'volumes')
    const directory = join(base, `kubernetes.io~${shown.plugin}`, v.name)
    await writeAtomically(directory, shown.files, fsGroup(pod))
    return directory
  }

  const emptyDir = async (pod: core.Pod, v: core.Volume, source: core.EmptyDirVolumeSource): Promise<string> => {
    const directory = join(podDirectory(podUid(pod)), 'volumes', 'kubernetes.io~empty-dir', v.name)
    if (source.medium && source.medium !== 'Memory') throw new Error(`emptyDir medium ${JSON.stringify(source.medium)} is not supported by this node`)
    const isNew = (await mkdir(directory, { recursive: true })) !== undefined
    if (source.medium === 'Memory' && !(await isTmpfs(directory))) await mountTmpfs(directory, source.sizeLimit ? Number(parseQuantity(source.sizeLimit).value()) : undefined)
    if (!isNew) return directory
    // A tmpfs is as open as /tmp is: what one user puts there, another cannot take away.
    await chmod(directory, source.medium === 'Memory' ? 0o1777 : 0o777)
    const group = pod.spec.securityContext?.fsGroup
    if (group !== undefined) await applyFsGroup(directory, group, undefined)
    return directory
  }

  const claimed = async (pod: core.Pod, claimName: string, readOnly: boolean, ephemeral = false): Promise<string> => {
    const path = await claimPath(sources.client, pod, claimName, ephemeral)
    const group = pod.spec.securityContext?.fsGroup
    if (group !== undefined && !readOnly) await applyFsGroup(path, group, pod.spec.securityContext?.fsGroupChangePolicy)
    return path
  }

  const one = async (pod: core.Pod, v: core.Volume): Promise<string> => {
    if (v.emptyDir) return emptyDir(pod, v, v.emptyDir)
    if (v.hostPath) return hostPath(v.hostPath)
    if (v.persistentVolumeClaim) return claimed(pod, v.persistentVolumeClaim.claimName, v.persistentVolumeClaim.readOnly ?? false)
    if (v.ephemeral) return claimed(pod, `${pod.metadata.name}-${v.name}`, false, true)
    const shown = await show(pod, v)
    if (shown) return shown
    const kind = Object.keys(v).find((key) => key !== 'name') ?? 'empty'
    throw new Error(`volumes of kind ${kind} are not supported by this node`)
  }

  return {
    podDirectory,
    async prepare(pod) {
      const paths = await allEnded((pod.spec.volumes ?? []).map(async (v): Promise<[string, string]> => {
        try {
          return [v.name, await one(pod, v)]
        } catch (error) {
          throw volumeError(v, error)
        }
      }))
      return new Map(paths)
    },
    async refresh(pod) {
      const failed = await Promise.all((pod.spec.volumes ?? []).map((v) => show(pod, v).then(() => undefined, (error: unknown) => volumeError(v, error))))
      return failed.filter((error) => error !== undefined)
    },
    async cleanup(uid) {
      tokens.forget(uid)
      await unmountBelow(podDirectory(uid))
      // What is still mounted is somebody's data: never delete through it.
      if ((await mountsBelow(podDirectory(uid))).length > 0) throw new Error(`volumes of pod ${uid} are still mounted`)
      await rm(podDirectory(uid), { recursive: true, force: true })
      await rm(join(directories.memory, uid), { recursive: true, force: true })
    },
  }
}
