/** Back to a former revision, as the annotation asks that old clients' `rollbackTo` became. */
import { apps } from '../../api/index.ts'
import { bare, isOwnAnnotation, revisionOf, rollbackAnnotation, sameTemplate, type Deployment, type ReplicaSet } from './replica-sets.ts'
import { allSets, ensureNew, type Rollout } from './rollout.ts'

/** The revision that is asked for, 0 for the one before the newest; undefined when none is. */
export function rollbackTo({ metadata }: Deployment): bigint | undefined {
  const text = metadata.annotations?.[rollbackAnnotation]
  return text && /^\d+$/.test(text) ? BigInt(text) : undefined
}

/** The second highest revision; 0 when there is none. */
const lastRevision = (sets: readonly ReplicaSet[]): bigint => sets.map(revisionOf).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))[1] ?? 0n

const annotationsOf = (object: Deployment | ReplicaSet, own: boolean) => Object.entries(object.metadata.annotations ?? {}).filter(([name]) => isOwnAnnotation(name) === own)

/** Takes the template and the notes of the revision's replica set over into the deployment; the next look rolls it out. Whatever comes of it, it is asked for no more. */
export async function rollback(r: Rollout, asked: bigint): Promise<void> {
  await ensureNew(r)
  const { env: { client, recorder }, deployment: d } = r
  const clear = async (next: Deployment): Promise<void> => {
    const { [rollbackAnnotation]: _, ...annotations } = next.metadata.annotations ?? {}
    await client.update(apps.deployments, { ...next, metadata: { ...next.metadata, annotations } })
  }
  const giveUp = (reason: string, message: string): Promise<void> => {
    recorder.event(d, 'Warning', reason, message)
    return clear(d)
  }
  const revision = asked === 0n ? lastRevision(allSets(r)) : asked
  if (revision === 0n) return giveUp('DeploymentRollbackRevisionNotFound', 'Unable to find last revision.')
  const target = allSets(r).find((rs) => revisionOf(rs) === revision)
  if (!target) return giveUp('DeploymentRollbackRevisionNotFound', 'Unable to find the revision to rollback to.')
  if (sameTemplate(d, target)) return giveUp('DeploymentRollbackTemplateUnchanged', `The rollback revision contains the same template as current deployment "${d.metadata.name}"`)
  const annotations = Object.fromEntries([...annotationsOf(d, true), ...annotationsOf(target, false)])
  await clear({ ...d, metadata: { ...d.metadata, annotations }, spec: { ...d.spec, template: bare(target.spec.template) } })
  recorder.event(d, 'Normal', 'DeploymentRollback', `Rolled back deployment "${d.metadata.name}" to revision ${revision}`)
}
