/** Stateful sets. */
import type { apps, core } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Label } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { ifThere, notNegative } from '../checks.ts'
import { claimDefaults } from '../core/claim-defaults.ts'
import { podTemplateDefaults } from '../core/defaults/pod-spec.ts'
import { templateWarnings } from '../core/pod-warnings.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn, printer, text } from '../printing.ts'
import { collisions, countOrPercent, lastingPods, ownSelector, selectedTemplate, unusableSelector } from './template.ts'

const statefulSetPrinter = printer<apps.StatefulSet>(
  nameColumn,
  text('Ready', 'Pods that are ready, of those wanted.', (o) => `${o.status.readyReplicas ?? 0}/${o.spec.replicas ?? 0}`),
  ageColumn,
  containersColumn,
  imagesColumn,
)

const withDefaults = (set: apps.StatefulSet): apps.StatefulSet => within(set, 'spec', (spec) => {
  const next = orDefault(spec, { replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10 })
  return {
    ...next,
    template: podTemplateDefaults(next.template),
    updateStrategy: strategyDefaults(next.updateStrategy),
    persistentVolumeClaimRetentionPolicy: orDefault(next.persistentVolumeClaimRetentionPolicy ?? {}, { whenDeleted: 'Retain', whenScaled: 'Retain' }),
    ...(next.volumeClaimTemplates && { volumeClaimTemplates: next.volumeClaimTemplates.map(claimTemplate) }),
  }
})

const claimTemplate = (claim: core.PersistentVolumeClaim): core.PersistentVolumeClaim =>
  claimDefaults({ ...claim, kind: 'PersistentVolumeClaim', apiVersion: 'v1' })

function strategyDefaults(strategy: apps.StatefulSetUpdateStrategy): apps.StatefulSetUpdateStrategy {
  const next = orDefault(strategy, { type: 'RollingUpdate' })
  return next.type === 'RollingUpdate' ? { ...next, rollingUpdate: orDefault(next.rollingUpdate ?? {}, { partition: 0 }) } : next
}

const managementPolicies = ['OrderedReady', 'Parallel']

function spec(at: Place, value: apps.StatefulSetSpec): void {
  const policy = value.podManagementPolicy
  if (!policy) at.at('podManagementPolicy').required()
  else if (!managementPolicies.includes(policy)) at.at('podManagementPolicy').invalid(policy, "must be 'OrderedReady' or 'Parallel'")
  updateStrategy(at.at('updateStrategy'), value.updateStrategy)
  for (const name of ['whenDeleted', 'whenScaled'] as const) {
    ifThere(at.at('persistentVolumeClaimRetentionPolicy').at(name), value.persistentVolumeClaimRetentionPolicy?.[name], ['Retain', 'Delete'])
  }
  notNegative(at.at('replicas'), value.replicas)
  notNegative(at.at('minReadySeconds'), value.minReadySeconds)
  notNegative(at.at('ordinals').at('start'), value.ordinals?.start)
  ownSelector(at.at('selector'), value.selector, 'statefulset')
  unusableSelector(at.at('selector'), value.selector, '')
  // Claim templates become volumes of the pods, so mounts may name them.
  selectedTemplate(at.at('template'), withClaims(value), value.selector)
  lastingPods(at.at('template').at('spec'), value.template.spec, 'StatefulSet')
}

function withClaims({ template, volumeClaimTemplates = [] }: apps.StatefulSetSpec): core.PodTemplateSpec {
  const own = new Set((template.spec.volumes ?? []).map((volume) => volume.name))
  const more = volumeClaimTemplates
    .filter((claim) => claim.metadata.name && !own.has(claim.metadata.name))
    .map((claim): core.Volume => ({ name: claim.metadata.name ?? '', persistentVolumeClaim: { claimName: claim.metadata.name ?? '' } }))
  return more.length === 0 ? template : { ...template, spec: { ...template.spec, volumes: [...(template.spec.volumes ?? []), ...more] } }
}

function updateStrategy(at: Place, strategy: apps.StatefulSetUpdateStrategy): void {
  const { type, rollingUpdate } = strategy
  if (!type) at.required()
  else if (type === 'OnDelete') {
    if (rollingUpdate) at.at('rollingUpdate').invalid(rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")
  } else if (type === 'RollingUpdate') {
    notNegative(at.at('rollingUpdate').at('partition'), rollingUpdate?.partition)
    const [place, limit] = [at.at('rollingUpdate').at('maxUnavailable'), rollingUpdate?.maxUnavailable]
    countOrPercent(place, limit)
    if (limit !== undefined && Number(String(limit).replace(/%$/, '')) === 0) place.invalid(limit, 'cannot be 0')
  } else at.invalid(strategy, "must be 'RollingUpdate' or 'OnDelete'")
}

const mayChange = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds'] as const
const sentence = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

function validateUpdate(next: apps.StatefulSet, current: apps.StatefulSet, root: Place): void {
  const at = root.at('spec')
  const like = { ...next.spec, ...Object.fromEntries(mayChange.map((name) => [name, current.spec[name]])) }
  spec(at, next.spec)
  if (!deepEqual(like, current.spec)) at.forbidden(sentence)
}

/** Counts in a status: none negative, none above the number of pods there are; collisions are only ever added. */
function status(at: Place, next: apps.StatefulSetStatus, current: apps.StatefulSetStatus): void {
  for (const name of ['replicas', 'readyReplicas', 'availableReplicas', 'currentReplicas', 'updatedReplicas', 'observedGeneration', 'collisionCount'] as const) notNegative(at.at(name), next[name])
  for (const name of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    if ((next[name] ?? 0) > next.replicas) at.at(name).invalid(next[name] ?? 0, 'cannot be greater than status.replicas')
  }
  if ((next.availableReplicas ?? 0) > (next.readyReplicas ?? 0)) at.at('availableReplicas').invalid(next.availableReplicas, 'cannot be greater than status.readyReplicas')
  collisions(at, next, current)
}

function warnings(set: apps.StatefulSet, current?: apps.StatefulSet): readonly string[] {
  const unlimited = (set.spec.revisionHistoryLimit ?? 0) < 0
  return [
    ...templateWarnings(path('spec').at('template'), set, set.spec.template, current),
    ...(unlimited ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'] : []),
  ]
}

export const statefulsets: Strategy<apps.StatefulSet> = {
  default: withDefaults,
  // Its pods are named after it, and they are hosts.
  validateName: dns1123Label,
  validate: (set, root) => spec(root.at('spec'), set.spec),
  validateUpdate,
  validateStatusUpdate: (next, current, root) => status(root.at('status'), next.status, current.status),
  warnings,
  printer: statefulSetPrinter,
}
