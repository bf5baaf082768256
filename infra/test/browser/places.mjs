// Every screen and every view of one, as addresses. What is to be filled in comes from the service under test.

const SQL = "SELECT host, pid, name, user, command, rss_bytes\nFROM processes\nWHERE kernel_thread = 0\nORDER BY rss_bytes DESC";

export async function places(base) {
  const ask = async (path) => (await fetch(base + path)).json();
  const { signals } = await ask('/api/v1/signals?limit=1');
  const { hits } = await ask(`/api/v1/search?${new URLSearchParams({ q: 'emoji OR level:fatal', limit: '1' })}`);
  const { patterns } = await ask('/api/v1/patterns?limit=1');
  return {
    overview: '#/overview',
    signals: '#/signals',
    'signals: none': '#/signals?view=resolved&q=nothing-like-this',
    signal: `#/signals/${signals[0].id}`,
    logs: '#/logs?from=now-24h',
    'logs: wrapped JSON': '#/logs?from=now-24h&form=json',
    'logs: an event': `#/logs?from=now-24h&event=${hits[0]._id}`,
    'logs: around it': `#/logs?from=now-24h&event=${hits[0]._id}&tab=around`,
    'logs: patterns': '#/logs?from=now-24h&view=patterns',
    'logs: a wrong query': '#/logs?from=now-24h&q=level:(a',
    'logs: nothing': '#/logs?q=nothing_is_like_this',
    patterns: '#/patterns',
    'patterns: new': '#/patterns?change=new',
    'patterns: one': `#/patterns/${patterns[0].id}`,
    anomalies: '#/anomalies?period=30d',
    hosts: '#/hosts',
    'hosts by label': '#/hosts?labels=role%3Dweb',
    host: '#/hosts/web-2?width=24h',
    processes: '#/processes',
    'processes: of a host': '#/processes?host=web-1&new=1h',
    'processes: by memory': '#/processes?host=web-1&order=memory&kernel=1',
    'processes: one': '#/processes?host=web-1&pid=2304',
    'processes: then': `#/processes?host=web-1&at=${new Date(Date.now() - 3_600_000).toISOString()}`,
    'processes: SQL': `#/processes/sql?sql=${encodeURIComponent(SQL)}`,
    'processes: a wrong question': `#/processes/sql?sql=${encodeURIComponent('SELECT nam\nFROM processes')}`,
    alerts: '#/alerts',
    'alerts: deliveries': '#/alerts/deliveries',
    'alerts: channels': '#/alerts/channels',
    'alerts: routes': '#/alerts/routes?kind=host_disk&severity=critical&host=db-1',
    'alerts: silences': '#/alerts/silences?kind=ssh_brute_force',
    rules: '#/rules',
    'rules: one': '#/rules?rule=7b7a3f0e-2a55-4c5e-9a44-1a2b3c4d5e6f',
    'rules: none': '#/rules?words=nothing-like-this',
    'rules: a file': '#/rules/files?file=shop.yml',
    models: '#/models',
    settings: '#/settings/page',
    keys: '#/settings/keys',
    agents: '#/settings/agents',
    health: '#/settings/health',
    effective: '#/settings/effective',
  };
}
