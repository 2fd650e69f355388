/** `skiff`: reads the command line and calls the command. A command's code is loaded only when it is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { version } from '../cluster/version.ts'
import { UserError } from '../cluster/user-error.ts'
import type { ClusterOptions } from './options.ts'

// What is cut from Node's pool of small buffers keeps the whole piece of it in memory: caches would hold many large ones for a few bytes.
Buffer.poolSize = 8 * 1024

const program = new Command('skiff')
  .description('Kubernetes in a small boat: a real cluster from one command.')
  .version(version, '-v, --version', 'print the version')
  .showHelpAfterError('(run "skiff --help" to see how)')
  .configureHelp({ sortSubcommands: false })
  .exitOverride()

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new InvalidArgumentError('a port is a number from 1 to 65535')
  return port
}

const repeated = (value: string, all: string[] = []): string[] => [...all, value]

/** A command about what is kept under a name. */
function named(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--name <name>', 'the cluster', process.env['SKIFF_NAME'] ?? 'skiff')
    .option('--data-dir <dir>', 'where the cluster keeps its things (default: /var/lib/skiff/<name>)')
}

/** Adds what every command that touches a cluster takes. */
const clustered = (name: string, description: string): Command =>
  named(name, description).option('--port <port>', 'the port of the API server (default: 6443, or the next free one)', portNumber)

const boot = (command: Command): Command =>
  command
    .option('--node-ip <address>', "the node's address (default: the host's first)")
    .option('--container-runtime-endpoint <socket>', 'use this containerd instead of a private one')
    .addOption(new Option('--log-level <level>', 'how much the log says').choices(['debug', 'info', 'warn', 'error']).default('info'))

/** Adds what every command that runs a control plane takes. */
const governing = (command: Command): Command =>
  command.option('--kube-apiserver-arg <name=value>', "a flag of kube-apiserver; may be given again, is remembered, 'name=' takes it back", repeated)

governing(boot(clustered('up', 'boot the cluster; returns when its node is Ready')))
  .option('--yes', 'install what is missing without asking')
  .option('--no-merge', 'leave ~/.kube/config alone')
  .action(async (options: ClusterOptions) => (await import('./up.ts')).up(options))

clustered('down', 'stop the cluster and remove every trace from the host; the data directory stays')
  .option('--purge', 'remove the data directory too: everything the cluster remembers')
  .action(async (options: ClusterOptions) => (await import('./down.ts')).down(options))

clustered('status', 'say what runs, and how it is')
  .addOption(new Option('-o, --output <format>', 'what it is said in').choices(['text', 'json']).default('text'))
  .action(async (options: ClusterOptions) => (await import('./status.ts')).status(options))

clustered('kubeconfig', "print the administrator's kubeconfig")
  .addOption(new Option('--path', 'print where the file is instead').conflicts(['forNode', 'bootstrap']))
  .option('--for-node <name>', 'print the kubeconfig of a node on another machine, for "skiff agent"')
  .addOption(new Option('--bootstrap', 'print a kubeconfig by which nodes on other machines get their own certificates during the next day, for "skiff agent"').conflicts(['forNode', 'nodeIp']))
  .option('--node-ip <address>', 'with --for-node: the address of that machine')
  .action(async (options: ClusterOptions) => (await import('./kubeconfig.ts')).kubeconfig(options))

clustered('logs', "print the cluster's own log")
  .option('-f, --follow', 'go on as it grows')
  .option('--tail <lines>', 'only the last lines', '200')
  .action(async (options: ClusterOptions) => (await import('./logs.ts')).logs(options))

governing(boot(clustered('server', 'run the cluster in the foreground: control plane and, unless told otherwise, a node')))
  .option('--no-node', 'run the control plane alone')
  .action(async (options: ClusterOptions) => (await import('./server.ts')).server(options))

boot(named('agent', 'run a node in the foreground for a control plane that runs elsewhere'))
  .requiredOption('--kubeconfig <file>', "the node's kubeconfig")
  .option('--node-name <name>', "with a bootstrap token: what the node is called (default: the host's name)")
  .action(async (options: ClusterOptions) => (await import('./agent.ts')).agent(options))

program
  .command('apiserver')
  .description('run an API server alone, for tests')
  .option('--memory', 'keep everything in memory')
  .option('--port <port>', 'its port on loopback (default: any free one)', portNumber)
  .option('--kubeconfig <file>', "write the administrator's kubeconfig there instead of to standard output")
  .action(async (options: ClusterOptions) => (await import('./apiserver.ts')).apiserver(options))

/** Adds what commands below another one take. */
const ofCluster = (command: Command): Command =>
  command.option('--name <name>', 'the cluster', process.env['SKIFF_NAME'] ?? 'skiff').option('--data-dir <dir>', 'where the cluster keeps its things').option('--port <port>', 'the port of the API server', portNumber)

const image = program.command('image').description("the images the cluster's containers are made from")
ofCluster(image.command('build <context>').description('build an image from a Dockerfile, without a registry'))
  .requiredOption('-t, --tag <reference>', 'what to call it, such as hello:1.0')
  .option('-f, --file <file>', 'the Dockerfile (default: <context>/Dockerfile)')
  .option('--build-arg <name=value>', 'a value for an ARG; may be given again', repeated)
  .action(async (context: string, options: ClusterOptions) => (await import('./image.ts')).build(context, options))
ofCluster(image.command('import <archive>').description('import a docker or OCI archive'))
  .action(async (archive: string, options: ClusterOptions) => (await import('./image.ts')).importArchive(archive, options))
ofCluster(image.command('list').description('list the images the cluster has'))
  .action(async (options: ClusterOptions) => (await import('./image.ts')).list(options))

const secrets = program.command('secrets').description('how secrets are kept')
ofCluster(secrets.command('rotate-key').description('encrypt every secret with a new key, and forget the old one'))
  .action(async (options: ClusterOptions) => (await import('./secrets.ts')).rotateKey(options))

clustered('version', 'print the versions: of this program, and of the cluster if it is up')
  .action(async (options: ClusterOptions) => (await import('./version.ts')).printVersion(options))

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode
  else if (error instanceof UserError) {
    console.error(`skiff: ${error.message}`)
    process.exitCode = 1
  } else {
    console.error(`skiff: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exitCode = 70
  }
}
