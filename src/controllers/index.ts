/** The controllers of a cluster, as kube-controller-manager runs them. */
import { declared } from '../api/index.ts'
import { createInformers, type Client } from '../client/index.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { startBootstrapSigner } from './bootstrap/signer.ts'
import { startBootstrapTokenCleaner } from './bootstrap/token-cleaner.ts'
import { startCertificateControllers } from './certificates/certificates.ts'
import { startCronJobController } from './cronjob/cronjob.ts'
import { startDaemonSetController } from './daemonset/daemonset.ts'
import { startDeploymentController } from './deployment/deployment.ts'
import { startDisruptionController } from './disruption/disruption.ts'
import { startEndpointsController } from './endpoints/endpoints.ts'
import { startEndpointSliceController } from './endpointslice/endpointslice.ts'
import { startEndpointSliceMirroringController } from './endpointslice/mirroring.ts'
import { startGarbageCollector } from './garbagecollector/garbagecollector.ts'
import { startJobController } from './job/job.ts'
import { startNamespaceController } from './namespace/namespace.ts'
import { startNodeIpamController } from './nodeipam/nodeipam.ts'
import { startNodeLifecycleController } from './nodelifecycle/nodelifecycle.ts'
import { startTaintEvictionController } from './nodelifecycle/tainteviction.ts'
import { startEphemeralVolumeController } from './persistentvolume/ephemeral.ts'
import { startVolumeBinder } from './persistentvolume/persistentvolume.ts'
import { startClaimProtection, startVolumeProtection } from './persistentvolume/protection.ts'
import { startPodGarbageCollector } from './podgc/podgc.ts'
import { startReplicaSetController, startReplicationController } from './replicaset/replicaset.ts'
import { startServiceCidrController } from './servicecidr/servicecidr.ts'
import { startAccountSecretsController } from './serviceaccount/account-secrets.ts'
import { startTokenCleaner } from './serviceaccount/secret-tokens.ts'
import { startRootCaPublisher, startServiceAccountController } from './serviceaccount/serviceaccount.ts'
import type { ControllerContext, ControllerSettings } from './shared/context.ts'
import { startStatefulSetController } from './statefulset/statefulset.ts'
import { startTtlAfterFinishedController } from './ttlafterfinished/ttlafterfinished.ts'

export type { ControllerSettings } from './shared/context.ts'

/** The identity whose client the shared informers use. */
export const managerName = 'kube-controller-manager'

export interface ControllersOptions {
  /**
   * The client of an identity: `kube-controller-manager` for reading, and each controller's own for writing, by the
   * names Kubernetes gives their service accounts in `kube-system` (`deployment-controller`, `node-controller`, …).
   */
  client(name: string): Client
  readonly clock: Clock
  readonly log: Logger
  readonly signal?: AbortSignal
  readonly options?: Partial<ControllerSettings>
}

/** Every controller, in the order in which they start. */
const starters: readonly ((context: ControllerContext) => Component | undefined)[] = [
  startNamespaceController,
  startServiceAccountController,
  startAccountSecretsController,
  startTokenCleaner,
  startBootstrapTokenCleaner,
  startBootstrapSigner,
  (context) => (context.settings.rootCa ? startRootCaPublisher(context, context.settings.rootCa) : undefined),
  (context) => (context.settings.signer ? startCertificateControllers(context, context.settings.signer) : undefined),
  (context) => (context.settings.clusterCidr ? startNodeIpamController(context, context.settings.clusterCidr) : undefined),
  startServiceCidrController,
  startNodeLifecycleController,
  startTaintEvictionController,
  startDeploymentController,
  startReplicaSetController,
  startReplicationController,
  startStatefulSetController,
  startDaemonSetController,
  startJobController,
  startCronJobController,
  startTtlAfterFinishedController,
  startDisruptionController,
  startEndpointsController,
  startEndpointSliceController,
  startEndpointSliceMirroringController,
  startVolumeBinder,
  startEphemeralVolumeController,
  startClaimProtection,
  startVolumeProtection,
  startPodGarbageCollector,
  startGarbageCollector,
]

/** How long the start waits for informers, in milliseconds. */
const patience = 10_000

/**
 * Starts all controllers and resolves when their informers have synced, or after ten seconds: a resource that cannot be listed holds up the
 * controllers that look at it, each of which waits for its own, and nobody else. `stop` ends them and waits for what is under way.
 */
export async function startControllers({ client, clock, log, signal: outer, options = {} }: ControllersOptions): Promise<Component> {
  const stopping = new AbortController()
  const signal = outer ? AbortSignal.any([outer, stopping.signal]) : stopping.signal
  const informers = createInformers(client(managerName), { clock, log })
  const clients = new Map<string, Client>()
  const context: ControllerContext = {
    client(name) {
      const known = clients.get(name) ?? client(name)
      clients.set(name, known)
      return known
    },
    informers, clock, log, signal,
    settings: { ...options, resources: options.resources ?? (() => declared) },
  }
  const components = starters.map((start) => start(context)).filter((component) => component !== undefined)
  informers.start(signal)
  const over = new AbortController()
  const late = clock.sleep(patience, AbortSignal.any([signal, over.signal])).then(() => true, () => false)
  if (await Promise.race([informers.synced().then(() => false), late])) log.warn({}, 'controllers start although not every resource could be listed yet')
  over.abort()
  return {
    async stop() {
      stopping.abort()
      await Promise.all(components.map((component) => component.stop()))
    },
  }
}
