/** Deployments. */
import type { apps } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { notNegative, unchanged } from '../checks.ts'
import { podTemplateDefaults } from '../core/defaults/pod-spec.ts'
import { templateWarnings } from '../core/pod-warnings.ts'
import { orDefault, within } from '../defaulting.ts'
import { collisions, countOrPercent, isZeroCount, lastingPods, ownSelector, revisions, selectedTemplate, unusableSelector } from './template.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn, printer, selectorColumn, text } from '../printing.ts'

const deploymentPrinter = printer<apps.Deployment>(
  nameColumn,
  text('Ready', 'Pods that are ready, of those wanted.', (o) => `${o.status.readyReplicas ?? 0}/${o.spec.replicas ?? 0}`),
  text('Up-to-date', 'Pods that run the present template.', (o) => o.status.updatedReplicas ?? 0),
  text('Available', 'Pods that have been ready for at least minReadySeconds.', (o) => o.status.availableReplicas ?? 0),
  ageColumn,
  containersColumn,
  imagesColumn,
  selectorColumn,
)

/** One pod, replaced a quarter at a time; ten old replica sets are kept; ten minutes without progress are a failure. */
const withDefaults = (deployment: apps.Deployment): apps.Deployment => within(deployment, 'spec', (spec) => {
  const next = orDefault(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
  return { ...next, strategy: strategyDefaults(next.strategy), template: podTemplateDefaults(next.template) }
})

function strategyDefaults(strategy: apps.DeploymentStrategy): apps.DeploymentStrategy {
  const next = orDefault(strategy, { type: 'RollingUpdate' })
  if (next.type !== 'RollingUpdate') return next
  return { ...next, rollingUpdate: orDefault(next.rollingUpdate ?? {}, { maxUnavailable: '25%', maxSurge: '25%' }) }
}

function spec(at: Place, value: apps.DeploymentSpec): void {
  notNegative(at.at('replicas'), value.replicas)
  ownSelector(at.at('selector'), value.selector, 'deployment')
  unusableSelector(at.at('selector'), value.selector, 'invalid label selector')
  selectedTemplate(at.at('template'), value.template, value.selector)
  lastingPods(at.at('template').at('spec'), value.template.spec, 'ReplicaSet')
  updateStrategy(at.at('strategy'), value.strategy)
  revisions(at, value)
  const deadline = value.progressDeadlineSeconds
  notNegative(at.at('progressDeadlineSeconds'), deadline)
  if (deadline !== undefined && deadline <= (value.minReadySeconds ?? 0)) {
    at.at('progressDeadlineSeconds').invalid(deadline, 'must be greater than minReadySeconds')
  }
}

function updateStrategy(at: Place, { type, rollingUpdate }: apps.DeploymentStrategy): void {
  if (type === 'Recreate') {
    if (rollingUpdate) at.at('rollingUpdate').forbidden("may not be specified when strategy `type` is 'Recreate'")
    return
  }
  if (type !== 'RollingUpdate') return at.at('type').notSupported(type ?? '', ['Recreate', 'RollingUpdate'])
  const place = at.at('rollingUpdate')
  if (!rollingUpdate) return place.required("this should be defaulted and never be nil")
  countOrPercent(place.at('maxUnavailable'), rollingUpdate.maxUnavailable)
  countOrPercent(place.at('maxSurge'), rollingUpdate.maxSurge, Number.POSITIVE_INFINITY)
  if (isZeroCount(rollingUpdate.maxUnavailable) && isZeroCount(rollingUpdate.maxSurge)) {
    place.at('maxUnavailable').invalid(rollingUpdate.maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0')
  }
}

function validateUpdate(next: apps.Deployment, current: apps.Deployment, root: Place): void {
  const at = root.at('spec')
  spec(at, next.spec)
  unchanged(at.at('selector'), next.spec.selector, current.spec.selector)
}

/** Counts in a status: none negative, none above the number of pods there are; collisions are only ever added. */
function status(at: Place, next: apps.DeploymentStatus, current: apps.DeploymentStatus): void {
  for (const name of ['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas', 'terminatingReplicas', 'collisionCount'] as const) notNegative(at.at(name), next[name])
  for (const name of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    if ((next[name] ?? 0) > (next.replicas ?? 0)) at.at(name).invalid(next[name] ?? 0, 'cannot be greater than status.replicas')
  }
  if ((next.availableReplicas ?? 0) > (next.readyReplicas ?? 0)) at.at('availableReplicas').invalid(next.availableReplicas, 'cannot be greater than readyReplicas')
  collisions(at, next, current)
}

export const deployments: Strategy<apps.Deployment> = {
  default: withDefaults,
  validate: (deployment, root) => spec(root.at('spec'), deployment.spec),
  validateUpdate,
  validateStatusUpdate: (next, current, root) => status(root.at('status'), next.status, current.status),
  // Whoever changes annotations may ask the controller for something.
  moved: (next, current) => !deepEqual(next.spec, current.spec) || !deepEqual(next.metadata.annotations ?? {}, current.metadata.annotations ?? {}),
  warnings: (deployment, current) => templateWarnings(path('spec').at('template'), deployment, deployment.spec.template, current, true),
  printer: deploymentPrinter,
}
