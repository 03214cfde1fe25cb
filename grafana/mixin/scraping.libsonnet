// Made by `npm run dashboards` from grafana/build/mixin/template.ts.
//
// How ranges follow the seconds between two scrapes. Up to 60 s they needn't; what has fewer scrapes in it would be empty now and then.
function(seconds)
  assert seconds > 0 && seconds <= 120 : '_config.scrape_interval must be from 1s to 2m: what is scraped more rarely, Prometheus takes for gone';
  local duration(s) = if s % 3600 == 0 then '%dh' % (s / 3600) else if s % 60 == 0 then '%dm' % (s / 60) else '%ds' % s;
  {
    range_100s: duration(std.max(100, std.ceil(seconds * 5 / 3))),
    range_2m: duration(std.max(120, std.ceil(seconds * 5 / 3))),
    range_3m: duration(std.max(180, std.ceil(seconds * 5 / 2))),
    // What a process that is gone told last is seen for longer, and must not fire for it.
    held(s):: duration(s + std.max(0, std.ceil(seconds * 5 / 3) - 100)),
  }
