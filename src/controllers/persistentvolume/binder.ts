/** The decisions of the volume binder about one claim or one volume. */
import { core, type storage } from '../../api/index.ts'
import { keyOf, type Client, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { Written } from '../shared/written.ts'
import { bestMatch, classOf, isReservedFor, mismatch, type Claim, type Volume } from './match.ts'

export interface Environment {
  readonly client: Client
  readonly recorder: EventRecorder
  readonly clock: Clock
  readonly claims: Informer<Claim>
  readonly volumes: Informer<Volume>
  readonly classes: Informer<storage.StorageClass>
  readonly writtenClaims: Written<Claim>
  readonly writtenVolumes: Written<Volume>
}

/** The queue's key of a claim. */
export const claimKey = (claim: Claim): string => `claim:${keyOf(claim)}`
/** The queue's key of a volume. */
export const volumeKey = (name: string): string => `volume:${name}`

const bindCompleted = 'pv.kubernetes.io/bind-completed'
const boundByController = 'pv.kubernetes.io/bound-by-controller'
const provisionedBy = 'pv.kubernetes.io/provisioned-by'
const provisionerAnnotations = ['volume.beta.kubernetes.io/storage-provisioner', 'volume.kubernetes.io/storage-provisioner']
const selectedNode = 'volume.kubernetes.io/selected-node'
const all = 'all'

const annotated = <T extends Claim | Volume>(object: T, annotations: Readonly<Record<string, string>>): T =>
  ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } } })

/** The writes; each remembers what it wrote, and writes nothing when nothing changes. */
export function createWrites({ client, clock, writtenClaims, writtenVolumes }: Environment) {
  const note = <T extends Claim | Volume>(written: Written<T>, object: T): T => {
    written.wrote(all, object)
    return object
  }
  return {
    async claim(old: Claim, next: Claim): Promise<Claim> {
      return deepEqual(old, next) ? old : note(writtenClaims, await client.update(core.persistentvolumeclaims, next))
    },
    async claimStatus(claim: Claim, status: Claim['status']): Promise<Claim> {
      return deepEqual(claim.status, status) ? claim : note(writtenClaims, await client.updateStatus(core.persistentvolumeclaims, { ...claim, status }))
    },
    async volume(old: Volume, next: Volume): Promise<Volume> {
      return deepEqual(old, next) ? old : note(writtenVolumes, await client.update(core.persistentvolumes, next))
    },
    async phase(volume: Volume, phase: core.PersistentVolumePhase, message = ''): Promise<Volume> {
      if (volume.status.phase === phase && (volume.status.message ?? '') === message) return volume
      const status = { phase, ...(message ? { message } : {}), lastPhaseTransitionTime: rfc3339(clock.now()) }
      return note(writtenVolumes, await client.updateStatus(core.persistentvolumes, { ...volume, status }))
    },
  }
}

function claimActions(env: Environment, write: ReturnType<typeof createWrites>) {
  const { recorder, volumes, classes } = env
  const pending = (claim: Claim) => write.claimStatus(claim, { ...claim.status, phase: 'Pending' })

  /** Volume first, then claim, each half at a time: whatever stops in between is taken up where it stands. */
  async function bind(claim: Claim, volume: Volume): Promise<void> {
    const { name, namespace, uid, resourceVersion } = claim.metadata
    const reserved = volume.spec.claimRef?.uid === uid
    const claimRef = reserved ? volume.spec.claimRef : { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion }
    const next = { ...volume, spec: { ...volume.spec, claimRef } }
    const bound = await write.volume(volume, volume.spec.claimRef ? next : annotated(next, { [boundByController]: 'yes' }))
    await write.phase(bound, 'Bound')
    const chosen: Readonly<Record<string, string>> = claim.spec.volumeName ? {} : { [boundByController]: 'yes' }
    const done = await write.claim(claim, annotated({ ...claim, spec: { ...claim.spec, volumeName: volume.metadata.name } }, { ...chosen, [bindCompleted]: 'yes' }))
    const { accessModes, capacity } = bound.spec
    await write.claimStatus(done, { ...done.status, phase: 'Bound', ...(accessModes ? { accessModes } : {}), ...(capacity ? { capacity } : {}) })
  }

  /** Nothing fits: who is to make a volume is told, or the user is. */
  async function wait(claim: Claim, delayed: boolean): Promise<void> {
    const storageClass = classes.get(classOf(claim))
    let current = claim
    if (delayed) recorder.event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
    else if (storageClass && storageClass.provisioner !== 'kubernetes.io/no-provisioner') {
      const { provisioner } = storageClass
      current = await write.claim(claim, annotated(claim, Object.fromEntries(provisionerAnnotations.map((name) => [name, provisioner]))))
      recorder.event(claim, 'Normal', 'ExternalProvisioning', `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`)
    } else if (classOf(claim) && !storageClass) recorder.event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${classOf(claim)}" not found`)
    else recorder.event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
    await pending(current)
  }

  async function bindFree(claim: Claim): Promise<void> {
    const waits = classes.get(classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer'
    const delayed = waits && !claim.metadata.annotations?.[selectedNode]
    const volume = bestMatch(volumes.list(), claim, waits)
    return volume ? bind(claim, volume) : wait(claim, delayed)
  }

  /** The user named the volume. */
  async function bindNamed(claim: Claim, name: string): Promise<void> {
    const volume = volumes.get(name)
    if (!volume) return void await pending(claim)
    if (volume.spec.claimRef && !isReservedFor(volume, claim)) {
      recorder.event(claim, 'Warning', 'FailedBinding', `volume "${name}" already bound to a different claim.`)
      return void await pending(claim)
    }
    const why = volume.spec.claimRef ? undefined : mismatch(volume, claim)
    if (why === undefined) return bind(claim, volume)
    recorder.event(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${name}": ${why}`)
    await pending(claim)
  }

  async function lost(claim: Claim, reason: string, message: string): Promise<void> {
    if (claim.status.phase === 'Lost') return
    recorder.event(claim, 'Warning', reason, message)
    await write.claimStatus(claim, { phase: 'Lost' })
  }

  /** A claim that was bound: its volume must still be there, and be its own. */
  async function keep(claim: Claim): Promise<void> {
    const volume = claim.spec.volumeName ? volumes.get(claim.spec.volumeName) : undefined
    if (!claim.spec.volumeName) return lost(claim, 'ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
    if (!volume) return lost(claim, 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
    if (volume.spec.claimRef && volume.spec.claimRef.uid !== claim.metadata.uid) return lost(claim, 'ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
    return bind(claim, volume)
  }

  return async (claim: Claim): Promise<void> => {
    if (claim.metadata.annotations?.[bindCompleted]) return keep(claim)
    if (claim.metadata.deletionTimestamp) return
    return claim.spec.volumeName ? bindNamed(claim, claim.spec.volumeName) : bindFree(claim)
  }
}

function volumeActions(env: Environment, write: ReturnType<typeof createWrites>) {
  const { client, recorder, claims } = env

  async function release(volume: Volume): Promise<void> {
    const released = volume.status.phase === 'Failed' ? volume : await write.phase(volume, 'Released')
    const policy = released.spec.persistentVolumeReclaimPolicy ?? 'Retain'
    // Volumes of an external provisioner are deleted by it; there is nobody here who could empty one.
    if (policy === 'Retain' || released.metadata.annotations?.[provisionedBy] || released.status.phase === 'Failed') return
    const message = policy === 'Delete' ? `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched` : 'no recyclable volume plugin matched'
    recorder.event(volume, 'Warning', policy === 'Delete' ? 'VolumeFailedDelete' : 'VolumeFailedRecycle', message)
    await write.phase(released, 'Failed', message)
  }

  const claimOf = async ({ namespace = '', name = '', uid }: core.ObjectReference): Promise<Claim | undefined> => {
    const known = claims.get(`${namespace}/${name}`)
    if (known?.metadata.uid === uid) return known
    // Releasing cannot be taken back: whether the claim is gone the server says.
    const live = await client.get(core.persistentvolumeclaims, name, { namespace }).catch((error: unknown) => { if (isNotFound(error)) return undefined; throw error })
    return live?.metadata.uid === uid ? live : undefined
  }

  /** Resolves with a claim that should be looked at, if the volume waits for it. */
  return async (volume: Volume): Promise<Claim | undefined> => {
    const { claimRef } = volume.spec
    if (!claimRef?.uid) {
      await write.phase(volume, 'Available')
      return claimRef && claims.get(`${claimRef.namespace}/${claimRef.name}`)
    }
    const claim = volume.status.phase === 'Released' || volume.status.phase === 'Failed' ? undefined : await claimOf(claimRef)
    if (!claim) return void await release(volume)
    if (!claim.spec.volumeName) return claim
    if (claim.spec.volumeName === volume.metadata.name) return void await write.phase(volume, 'Bound')
    // The claim went to another volume: this one is free again, if nobody but us had reserved it.
    if (!volume.metadata.annotations?.[boundByController]) return undefined
    const { claimRef: _, ...spec } = volume.spec
    const { [boundByController]: __, ...annotations } = volume.metadata.annotations
    const free = await write.volume(volume, { ...volume, metadata: { ...volume.metadata, annotations }, spec } as Volume)
    await write.phase(free, 'Available')
    return undefined
  }
}

/** One reconciler for both kinds: `claim:namespace/name` and `volume:name`. Runs one key at a time. */
export function binderReconciler(env: Environment, enqueue: (key: string) => void): Reconciler {
  const write = createWrites(env)
  const syncClaim = claimActions(env, write)
  const syncVolume = volumeActions(env, write)
  return {
    async reconcile(key) {
      // Two claims must not be given the same volume: what was written must be seen first.
      if (!env.writtenClaims.isSeen(all) || !env.writtenVolumes.isSeen(all)) return { requeueAfter: 50 }
      const at = key.indexOf(':')
      const name = key.slice(at + 1)
      if (key.startsWith('claim:')) {
        const claim = env.claims.get(name)
        if (claim) await syncClaim(claim)
        return
      }
      const volume = env.volumes.get(name)
      const waiting = volume && await syncVolume(volume)
      if (waiting) enqueue(claimKey(waiting))
    },
  }
}
