// Holds what `kubectl kustomize deploy/kubernetes` rendered (standard input) against Kubernetes' own schemas (npm:
// kubernetes-models), and against what this system asks of it. Prints what is wrong; exit status 0 if nothing is.
import {createRequire} from 'node:module';
const require = createRequire(process.cwd() + '/');
const yaml = require('js-yaml');
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const objects = yaml.loadAll(Buffer.concat(chunks).toString()).filter(Boolean);
let wrong = 0;
const say = (object, what) => { wrong++; console.log(`${object.kind} ${object.metadata?.name}: ${what}`); };
const find = (kind, name) => objects.find(o => o.kind === kind && o.metadata.name === name);

for (const object of objects) {
    try {
        const place = `${process.cwd()}/node_modules/kubernetes-models/${object.apiVersion}/${object.kind}.js`;
        const {[object.kind]: Model} = await import(place);
        new Model(object).validate();
    } catch (fault) {
        say(object, fault.message);
    }
}

const services = ['audit', 'staff', 'vault', 'residence', 'intermediate', 'records', 'certificates', 'legacy-sync', 'intake', 'portal'];
for (const name of services) {
    const deployment = find('Deployment', name), address = find('Service', name), budget = find('PodDisruptionBudget', name);
    if (!deployment || !address || !budget) { wrong++; console.log(`${name}: no Deployment, Service or PodDisruptionBudget`); continue; }
    if (address.spec.clusterIP !== 'None') say(address, 'must be headless: the bus dials each pod');
    const pod = deployment.spec.template.spec, container = pod.containers[0];
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) if (!container[probe]) say(deployment, `no ${probe}`);
    const security = container.securityContext;
    if (!security.readOnlyRootFilesystem || security.allowPrivilegeEscalation || !security.capabilities.drop.includes('ALL') ||
        !pod.securityContext.runAsNonRoot || pod.securityContext.seccompProfile?.type !== 'RuntimeDefault')
        say(deployment, 'more rights than it needs');
    if (!container.resources?.requests?.memory || !container.resources?.requests?.cpu) say(deployment, 'no resource requests');
    const own = `/keys/${name.replaceAll('-', '_')}`;
    for (const mount of container.volumeMounts.filter(m => m.name === 'keys'))
        if (!mount.subPath || (services.some(s => mount.mountPath === `/keys/${s.replaceAll('-', '_')}`) && mount.mountPath !== own))
            say(deployment, `sees ${mount.mountPath}, which is not its own`);
}

// The networks are those of docker-compose.yml (argument 1: its text, rendered by docker-compose config).
const compose = yaml.load((await import('node:fs')).readFileSync(process.argv[2], 'utf8'));
for (const name of services) {
    const labels = find('Deployment', name)?.spec.template.metadata.labels ?? {};
    const here = Object.keys(labels).filter(l => l.startsWith('network-')).map(l => l.slice('network-'.length)).sort().join(' ');
    const there = Object.keys(compose.services[name].networks).sort().join(' ');
    if (here !== there) { wrong++; console.log(`${name}: networks here ${here}, in docker-compose.yml ${there}`); }
}
for (const name of ['edge', 'bus', 'vault', 'outside', 'nothing'])
    if (!find('NetworkPolicy', name)) { wrong++; console.log(`no NetworkPolicy ${name}`); }
const vault = find('Deployment', 'vault').spec.template.metadata.labels;
if (vault['network-edge'] || vault['network-outside']) { wrong++; console.log('the vault is where the edge or the outside is (NUM-7)'); }

console.log(`${objects.length} objects, ${wrong} wrong`);
process.exit(wrong || objects.length === 0 ? 1 : 0);
