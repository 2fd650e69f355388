/** Deployments. */
import type { apps } from '../../../api/index.ts'
import type { FieldError, Path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { path } from '../../../machinery/field.ts'
import type { Strategy } from '../../strategy.ts'
import { notNegative, unchanged, type Check } from '../checks.ts'
import { podTemplateDefaults } from '../core/defaults/pod-spec.ts'
import { podWarnings } from '../core/pod-warnings.ts'
import { orDefault, within } from '../defaulting.ts'
import { collisions, countOrPercent, isZeroCount, lastingPods, ownSelector, revisions, selectedTemplate } from './template.ts'
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

function* spec(at: Path, value: apps.DeploymentSpec): Check {
  yield* notNegative(at.at('replicas'), value.replicas)
  yield* ownSelector(at.at('selector'), value.selector, 'deployment')
  yield* selectedTemplate(at.at('template'), value.template, value.selector)
  yield* lastingPods(at.at('template').at('spec'), value.template.spec, 'ReplicaSet')
  yield* updateStrategy(at.at('strategy'), value.strategy)
  yield* revisions(at, value)
  const deadline = value.progressDeadlineSeconds
  yield* notNegative(at.at('progressDeadlineSeconds'), deadline)
  if (deadline !== undefined && deadline <= (value.minReadySeconds ?? 0)) {
    yield at.at('progressDeadlineSeconds').invalid(deadline, 'must be greater than minReadySeconds')
  }
}

function* updateStrategy(at: Path, { type, rollingUpdate }: apps.DeploymentStrategy): Check {
  if (type === 'Recreate') {
    if (rollingUpdate) yield at.at('rollingUpdate').forbidden("may not be specified when strategy `type` is 'Recreate'")
    return
  }
  if (type !== 'RollingUpdate') return yield at.at('type').notSupported(type ?? '', ['Recreate', 'RollingUpdate'])
  const place = at.at('rollingUpdate')
  if (!rollingUpdate) return yield place.required("this should be defaulted and never be nil")
  yield* countOrPercent(place.at('maxUnavailable'), rollingUpdate.maxUnavailable)
  yield* countOrPercent(place.at('maxSurge'), rollingUpdate.maxSurge, Number.POSITIVE_INFINITY)
  if (isZeroCount(rollingUpdate.maxUnavailable) && isZeroCount(rollingUpdate.maxSurge)) {
    yield place.at('maxUnavailable').invalid(rollingUpdate.maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0')
  }
}

function validateUpdate(next: apps.Deployment, current: apps.Deployment): readonly FieldError[] {
  const at = path('spec')
  return [...spec(at, next.spec), ...unchanged(at.at('selector'), next.spec.selector, current.spec.selector)]
}

/** Counts in a status: none negative, none above the number of pods there are; collisions are only ever added. */
function* status(at: Path, next: apps.DeploymentStatus, current: apps.DeploymentStatus): Check {
  for (const name of ['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas', 'collisionCount'] as const) yield* notNegative(at.at(name), next[name])
  for (const name of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    if ((next[name] ?? 0) > (next.replicas ?? 0)) yield at.at(name).invalid(next[name], 'cannot be greater than status.replicas')
  }
  if ((next.availableReplicas ?? 0) > (next.readyReplicas ?? 0)) yield at.at('availableReplicas').invalid(next.availableReplicas, 'cannot be greater than readyReplicas')
  yield* collisions(at, next, current)
}

export const deployments: Strategy<apps.Deployment> = {
  default: withDefaults,
  validate: (deployment) => [...spec(path('spec'), deployment.spec)],
  validateUpdate,
  validateStatusUpdate: (next, current) => [...status(path('status'), next.status, current.status)],
  // Whoever changes annotations may ask the controller for something.
  moved: (next, current) => !deepEqual(next.spec, current.spec) || !deepEqual(next.metadata.annotations ?? {}, current.metadata.annotations ?? {}),
  warnings: (deployment) => podWarnings(path('spec').at('template').at('spec'), deployment.spec.template.spec),
  printer: deploymentPrinter,
}
