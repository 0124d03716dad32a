-- What is JSON to a function: where it comes from, and by which way. Cases are generated: what makes
-- JSON, every way from there to a function that reads it.

-- an arrow: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(j->'a'), json_object('k',j->'a'), json_set('{}','$.a',j->'a'), json_insert('{}','$.a',j->'a'), json_replace('{"a":1}','$.a',j->'a'), json_quote(j->'a'), json(jsonb_array(j->'a')), json(jsonb_object('k',j->'a')), subtype(j->'a') FROM d
SELECT json_array(+(j->'a')), json_object('k',+(j->'a')), json_set('{}','$.a',+(j->'a')), json_insert('{}','$.a',+(j->'a')), json_replace('{"a":1}','$.a',+(j->'a')), json_quote(+(j->'a')), json(jsonb_array(+(j->'a'))), json(jsonb_object('k',+(j->'a'))), subtype(+(j->'a')) FROM d
SELECT json_array(CAST(j->'a' AS TEXT)), json_object('k',CAST(j->'a' AS TEXT)), json_set('{}','$.a',CAST(j->'a' AS TEXT)), json_insert('{}','$.a',CAST(j->'a' AS TEXT)), json_replace('{"a":1}','$.a',CAST(j->'a' AS TEXT)), json_quote(CAST(j->'a' AS TEXT)), json(jsonb_array(CAST(j->'a' AS TEXT))), json(jsonb_object('k',CAST(j->'a' AS TEXT))), subtype(CAST(j->'a' AS TEXT)) FROM d
SELECT json_array((j->'a') COLLATE nocase), json_object('k',(j->'a') COLLATE nocase), json_set('{}','$.a',(j->'a') COLLATE nocase), json_insert('{}','$.a',(j->'a') COLLATE nocase), json_replace('{"a":1}','$.a',(j->'a') COLLATE nocase), json_quote((j->'a') COLLATE nocase), json(jsonb_array((j->'a') COLLATE nocase)), json(jsonb_object('k',(j->'a') COLLATE nocase)), subtype((j->'a') COLLATE nocase) FROM d
SELECT json_array(nullif(j->'a',1)), json_object('k',nullif(j->'a',1)), json_set('{}','$.a',nullif(j->'a',1)), json_insert('{}','$.a',nullif(j->'a',1)), json_replace('{"a":1}','$.a',nullif(j->'a',1)), json_quote(nullif(j->'a',1)), json(jsonb_array(nullif(j->'a',1))), json(jsonb_object('k',nullif(j->'a',1))), subtype(nullif(j->'a',1)) FROM d
SELECT json_array(max(j->'a','')), json_object('k',max(j->'a','')), json_set('{}','$.a',max(j->'a','')), json_insert('{}','$.a',max(j->'a','')), json_replace('{"a":1}','$.a',max(j->'a','')), json_quote(max(j->'a','')), json(jsonb_array(max(j->'a',''))), json(jsonb_object('k',max(j->'a',''))), subtype(max(j->'a','')) FROM d
SELECT json_array(min(j->'a','~')), json_object('k',min(j->'a','~')), json_set('{}','$.a',min(j->'a','~')), json_insert('{}','$.a',min(j->'a','~')), json_replace('{"a":1}','$.a',min(j->'a','~')), json_quote(min(j->'a','~')), json(jsonb_array(min(j->'a','~'))), json(jsonb_object('k',min(j->'a','~'))), subtype(min(j->'a','~')) FROM d
SELECT json_array(coalesce(j->'a',1)), json_object('k',coalesce(j->'a',1)), json_set('{}','$.a',coalesce(j->'a',1)), json_insert('{}','$.a',coalesce(j->'a',1)), json_replace('{"a":1}','$.a',coalesce(j->'a',1)), json_quote(coalesce(j->'a',1)), json(jsonb_array(coalesce(j->'a',1))), json(jsonb_object('k',coalesce(j->'a',1))), subtype(coalesce(j->'a',1)) FROM d
SELECT json_array(ifnull(NULL,j->'a')), json_object('k',ifnull(NULL,j->'a')), json_set('{}','$.a',ifnull(NULL,j->'a')), json_insert('{}','$.a',ifnull(NULL,j->'a')), json_replace('{"a":1}','$.a',ifnull(NULL,j->'a')), json_quote(ifnull(NULL,j->'a')), json(jsonb_array(ifnull(NULL,j->'a'))), json(jsonb_object('k',ifnull(NULL,j->'a'))), subtype(ifnull(NULL,j->'a')) FROM d
SELECT json_array(iif(1,j->'a','x')), json_object('k',iif(1,j->'a','x')), json_set('{}','$.a',iif(1,j->'a','x')), json_insert('{}','$.a',iif(1,j->'a','x')), json_replace('{"a":1}','$.a',iif(1,j->'a','x')), json_quote(iif(1,j->'a','x')), json(jsonb_array(iif(1,j->'a','x'))), json(jsonb_object('k',iif(1,j->'a','x'))), subtype(iif(1,j->'a','x')) FROM d
SELECT json_array(CASE WHEN 1 THEN j->'a' ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN j->'a' ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN j->'a' ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN j->'a' ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN j->'a' ELSE '[0]' END), json_quote(CASE WHEN 1 THEN j->'a' ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN j->'a' ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN j->'a' ELSE '[0]' END)), subtype(CASE WHEN 1 THEN j->'a' ELSE '[0]' END) FROM d
SELECT json_array((SELECT j->'a')), json_object('k',(SELECT j->'a')), json_set('{}','$.a',(SELECT j->'a')), json_insert('{}','$.a',(SELECT j->'a')), json_replace('{"a":1}','$.a',(SELECT j->'a')), json_quote((SELECT j->'a')), json(jsonb_array((SELECT j->'a'))), json(jsonb_object('k',(SELECT j->'a'))), subtype((SELECT j->'a')) FROM d
SELECT json_array((SELECT +(j->'a'))), json_object('k',(SELECT +(j->'a'))), json_set('{}','$.a',(SELECT +(j->'a'))), json_insert('{}','$.a',(SELECT +(j->'a'))), json_replace('{"a":1}','$.a',(SELECT +(j->'a'))), json_quote((SELECT +(j->'a'))), json(jsonb_array((SELECT +(j->'a')))), json(jsonb_object('k',(SELECT +(j->'a')))), subtype((SELECT +(j->'a'))) FROM d
SELECT json_array(upper(j->'a')), json_object('k',upper(j->'a')), json_set('{}','$.a',upper(j->'a')), json_insert('{}','$.a',upper(j->'a')), json_replace('{"a":1}','$.a',upper(j->'a')), json_quote(upper(j->'a')), json(jsonb_array(upper(j->'a'))), json(jsonb_object('k',upper(j->'a'))), subtype(upper(j->'a')) FROM d
SELECT json_array(j->'a'||''), json_object('k',j->'a'||''), json_set('{}','$.a',j->'a'||''), json_insert('{}','$.a',j->'a'||''), json_replace('{"a":1}','$.a',j->'a'||''), json_quote(j->'a'||''), json(jsonb_array(j->'a'||'')), json(jsonb_object('k',j->'a'||'')), subtype(j->'a'||'') FROM d
SELECT json_array(max(j->'a')), json_array(min(j->'a')), json_quote(max(+j->'a')) FROM d
SELECT json_group_array(j->'a'), json_group_object('k',j->'a'), json(jsonb_group_array(j->'a')) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT j->'a' x FROM d)
SELECT json_array(x) FROM (SELECT j->'a' x FROM d)
SELECT json_array(x) FROM (SELECT +j->'a' x FROM d)
WITH c AS (SELECT j->'a' x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT j->'a' x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT j->'a' x FROM d)
SELECT json_object('k',+x) FROM (SELECT +j->'a' x FROM d)
WITH c AS (SELECT j->'a' x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT j->'a' x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT j->'a' x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +j->'a' x FROM d)
WITH c AS (SELECT j->'a' x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT j->'a' x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT j->'a' x FROM d)
SELECT json_array(j->'a'), count(*) FROM d GROUP BY j->'a' ORDER BY 1
SELECT json_array(max(j->'a')) FROM d GROUP BY j->'a' ORDER BY 1
SELECT json_group_array(j->'a') FROM d GROUP BY j->'a' ORDER BY 1
SELECT json_array(j->'a') FROM d ORDER BY j->'a' DESC
SELECT DISTINCT json_array(j->'a') FROM d
SELECT json_array(j->'a'), rank() OVER () FROM d
SELECT json_group_array(j->'a') OVER () FROM d
SELECT json_array(max(j->'a') OVER ()) FROM d
SELECT json_array((SELECT j->'a' FROM d LIMIT 1)), json_array((SELECT max(j->'a') FROM d)), json_array((SELECT json_group_array(j->'a') FROM d))

-- an arrow to a text: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(j->>'a'), json_object('k',j->>'a'), json_set('{}','$.a',j->>'a'), json_insert('{}','$.a',j->>'a'), json_replace('{"a":1}','$.a',j->>'a'), json_quote(j->>'a'), json(jsonb_array(j->>'a')), json(jsonb_object('k',j->>'a')), subtype(j->>'a') FROM d
SELECT json_array(+(j->>'a')), json_object('k',+(j->>'a')), json_set('{}','$.a',+(j->>'a')), json_insert('{}','$.a',+(j->>'a')), json_replace('{"a":1}','$.a',+(j->>'a')), json_quote(+(j->>'a')), json(jsonb_array(+(j->>'a'))), json(jsonb_object('k',+(j->>'a'))), subtype(+(j->>'a')) FROM d
SELECT json_array(CAST(j->>'a' AS TEXT)), json_object('k',CAST(j->>'a' AS TEXT)), json_set('{}','$.a',CAST(j->>'a' AS TEXT)), json_insert('{}','$.a',CAST(j->>'a' AS TEXT)), json_replace('{"a":1}','$.a',CAST(j->>'a' AS TEXT)), json_quote(CAST(j->>'a' AS TEXT)), json(jsonb_array(CAST(j->>'a' AS TEXT))), json(jsonb_object('k',CAST(j->>'a' AS TEXT))), subtype(CAST(j->>'a' AS TEXT)) FROM d
SELECT json_array((j->>'a') COLLATE nocase), json_object('k',(j->>'a') COLLATE nocase), json_set('{}','$.a',(j->>'a') COLLATE nocase), json_insert('{}','$.a',(j->>'a') COLLATE nocase), json_replace('{"a":1}','$.a',(j->>'a') COLLATE nocase), json_quote((j->>'a') COLLATE nocase), json(jsonb_array((j->>'a') COLLATE nocase)), json(jsonb_object('k',(j->>'a') COLLATE nocase)), subtype((j->>'a') COLLATE nocase) FROM d
SELECT json_array(nullif(j->>'a',1)), json_object('k',nullif(j->>'a',1)), json_set('{}','$.a',nullif(j->>'a',1)), json_insert('{}','$.a',nullif(j->>'a',1)), json_replace('{"a":1}','$.a',nullif(j->>'a',1)), json_quote(nullif(j->>'a',1)), json(jsonb_array(nullif(j->>'a',1))), json(jsonb_object('k',nullif(j->>'a',1))), subtype(nullif(j->>'a',1)) FROM d
SELECT json_array(max(j->>'a','')), json_object('k',max(j->>'a','')), json_set('{}','$.a',max(j->>'a','')), json_insert('{}','$.a',max(j->>'a','')), json_replace('{"a":1}','$.a',max(j->>'a','')), json_quote(max(j->>'a','')), json(jsonb_array(max(j->>'a',''))), json(jsonb_object('k',max(j->>'a',''))), subtype(max(j->>'a','')) FROM d
SELECT json_array(min(j->>'a','~')), json_object('k',min(j->>'a','~')), json_set('{}','$.a',min(j->>'a','~')), json_insert('{}','$.a',min(j->>'a','~')), json_replace('{"a":1}','$.a',min(j->>'a','~')), json_quote(min(j->>'a','~')), json(jsonb_array(min(j->>'a','~'))), json(jsonb_object('k',min(j->>'a','~'))), subtype(min(j->>'a','~')) FROM d
SELECT json_array(coalesce(j->>'a',1)), json_object('k',coalesce(j->>'a',1)), json_set('{}','$.a',coalesce(j->>'a',1)), json_insert('{}','$.a',coalesce(j->>'a',1)), json_replace('{"a":1}','$.a',coalesce(j->>'a',1)), json_quote(coalesce(j->>'a',1)), json(jsonb_array(coalesce(j->>'a',1))), json(jsonb_object('k',coalesce(j->>'a',1))), subtype(coalesce(j->>'a',1)) FROM d
SELECT json_array(ifnull(NULL,j->>'a')), json_object('k',ifnull(NULL,j->>'a')), json_set('{}','$.a',ifnull(NULL,j->>'a')), json_insert('{}','$.a',ifnull(NULL,j->>'a')), json_replace('{"a":1}','$.a',ifnull(NULL,j->>'a')), json_quote(ifnull(NULL,j->>'a')), json(jsonb_array(ifnull(NULL,j->>'a'))), json(jsonb_object('k',ifnull(NULL,j->>'a'))), subtype(ifnull(NULL,j->>'a')) FROM d
SELECT json_array(iif(1,j->>'a','x')), json_object('k',iif(1,j->>'a','x')), json_set('{}','$.a',iif(1,j->>'a','x')), json_insert('{}','$.a',iif(1,j->>'a','x')), json_replace('{"a":1}','$.a',iif(1,j->>'a','x')), json_quote(iif(1,j->>'a','x')), json(jsonb_array(iif(1,j->>'a','x'))), json(jsonb_object('k',iif(1,j->>'a','x'))), subtype(iif(1,j->>'a','x')) FROM d
SELECT json_array(CASE WHEN 1 THEN j->>'a' ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN j->>'a' ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN j->>'a' ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN j->>'a' ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN j->>'a' ELSE '[0]' END), json_quote(CASE WHEN 1 THEN j->>'a' ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN j->>'a' ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN j->>'a' ELSE '[0]' END)), subtype(CASE WHEN 1 THEN j->>'a' ELSE '[0]' END) FROM d
SELECT json_array((SELECT j->>'a')), json_object('k',(SELECT j->>'a')), json_set('{}','$.a',(SELECT j->>'a')), json_insert('{}','$.a',(SELECT j->>'a')), json_replace('{"a":1}','$.a',(SELECT j->>'a')), json_quote((SELECT j->>'a')), json(jsonb_array((SELECT j->>'a'))), json(jsonb_object('k',(SELECT j->>'a'))), subtype((SELECT j->>'a')) FROM d
SELECT json_array((SELECT +(j->>'a'))), json_object('k',(SELECT +(j->>'a'))), json_set('{}','$.a',(SELECT +(j->>'a'))), json_insert('{}','$.a',(SELECT +(j->>'a'))), json_replace('{"a":1}','$.a',(SELECT +(j->>'a'))), json_quote((SELECT +(j->>'a'))), json(jsonb_array((SELECT +(j->>'a')))), json(jsonb_object('k',(SELECT +(j->>'a')))), subtype((SELECT +(j->>'a'))) FROM d
SELECT json_array(upper(j->>'a')), json_object('k',upper(j->>'a')), json_set('{}','$.a',upper(j->>'a')), json_insert('{}','$.a',upper(j->>'a')), json_replace('{"a":1}','$.a',upper(j->>'a')), json_quote(upper(j->>'a')), json(jsonb_array(upper(j->>'a'))), json(jsonb_object('k',upper(j->>'a'))), subtype(upper(j->>'a')) FROM d
SELECT json_array(j->>'a'||''), json_object('k',j->>'a'||''), json_set('{}','$.a',j->>'a'||''), json_insert('{}','$.a',j->>'a'||''), json_replace('{"a":1}','$.a',j->>'a'||''), json_quote(j->>'a'||''), json(jsonb_array(j->>'a'||'')), json(jsonb_object('k',j->>'a'||'')), subtype(j->>'a'||'') FROM d
SELECT json_array(max(j->>'a')), json_array(min(j->>'a')), json_quote(max(+j->>'a')) FROM d
SELECT json_group_array(j->>'a'), json_group_object('k',j->>'a'), json(jsonb_group_array(j->>'a')) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT j->>'a' x FROM d)
SELECT json_array(x) FROM (SELECT j->>'a' x FROM d)
SELECT json_array(x) FROM (SELECT +j->>'a' x FROM d)
WITH c AS (SELECT j->>'a' x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT j->>'a' x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT j->>'a' x FROM d)
SELECT json_object('k',+x) FROM (SELECT +j->>'a' x FROM d)
WITH c AS (SELECT j->>'a' x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT j->>'a' x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT j->>'a' x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +j->>'a' x FROM d)
WITH c AS (SELECT j->>'a' x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT j->>'a' x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT j->>'a' x FROM d)
SELECT json_array(j->>'a'), count(*) FROM d GROUP BY j->>'a' ORDER BY 1
SELECT json_array(max(j->>'a')) FROM d GROUP BY j->>'a' ORDER BY 1
SELECT json_group_array(j->>'a') FROM d GROUP BY j->>'a' ORDER BY 1
SELECT json_array(j->>'a') FROM d ORDER BY j->>'a' DESC
SELECT DISTINCT json_array(j->>'a') FROM d
SELECT json_array(j->>'a'), rank() OVER () FROM d
SELECT json_group_array(j->>'a') OVER () FROM d
SELECT json_array(max(j->>'a') OVER ()) FROM d
SELECT json_array((SELECT j->>'a' FROM d LIMIT 1)), json_array((SELECT max(j->>'a') FROM d)), json_array((SELECT json_group_array(j->>'a') FROM d))

-- json: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(json(j)), json_object('k',json(j)), json_set('{}','$.a',json(j)), json_insert('{}','$.a',json(j)), json_replace('{"a":1}','$.a',json(j)), json_quote(json(j)), json(jsonb_array(json(j))), json(jsonb_object('k',json(j))), subtype(json(j)) FROM d
SELECT json_array(+(json(j))), json_object('k',+(json(j))), json_set('{}','$.a',+(json(j))), json_insert('{}','$.a',+(json(j))), json_replace('{"a":1}','$.a',+(json(j))), json_quote(+(json(j))), json(jsonb_array(+(json(j)))), json(jsonb_object('k',+(json(j)))), subtype(+(json(j))) FROM d
SELECT json_array(CAST(json(j) AS TEXT)), json_object('k',CAST(json(j) AS TEXT)), json_set('{}','$.a',CAST(json(j) AS TEXT)), json_insert('{}','$.a',CAST(json(j) AS TEXT)), json_replace('{"a":1}','$.a',CAST(json(j) AS TEXT)), json_quote(CAST(json(j) AS TEXT)), json(jsonb_array(CAST(json(j) AS TEXT))), json(jsonb_object('k',CAST(json(j) AS TEXT))), subtype(CAST(json(j) AS TEXT)) FROM d
SELECT json_array((json(j)) COLLATE nocase), json_object('k',(json(j)) COLLATE nocase), json_set('{}','$.a',(json(j)) COLLATE nocase), json_insert('{}','$.a',(json(j)) COLLATE nocase), json_replace('{"a":1}','$.a',(json(j)) COLLATE nocase), json_quote((json(j)) COLLATE nocase), json(jsonb_array((json(j)) COLLATE nocase)), json(jsonb_object('k',(json(j)) COLLATE nocase)), subtype((json(j)) COLLATE nocase) FROM d
SELECT json_array(nullif(json(j),1)), json_object('k',nullif(json(j),1)), json_set('{}','$.a',nullif(json(j),1)), json_insert('{}','$.a',nullif(json(j),1)), json_replace('{"a":1}','$.a',nullif(json(j),1)), json_quote(nullif(json(j),1)), json(jsonb_array(nullif(json(j),1))), json(jsonb_object('k',nullif(json(j),1))), subtype(nullif(json(j),1)) FROM d
SELECT json_array(max(json(j),'')), json_object('k',max(json(j),'')), json_set('{}','$.a',max(json(j),'')), json_insert('{}','$.a',max(json(j),'')), json_replace('{"a":1}','$.a',max(json(j),'')), json_quote(max(json(j),'')), json(jsonb_array(max(json(j),''))), json(jsonb_object('k',max(json(j),''))), subtype(max(json(j),'')) FROM d
SELECT json_array(min(json(j),'~')), json_object('k',min(json(j),'~')), json_set('{}','$.a',min(json(j),'~')), json_insert('{}','$.a',min(json(j),'~')), json_replace('{"a":1}','$.a',min(json(j),'~')), json_quote(min(json(j),'~')), json(jsonb_array(min(json(j),'~'))), json(jsonb_object('k',min(json(j),'~'))), subtype(min(json(j),'~')) FROM d
SELECT json_array(coalesce(json(j),1)), json_object('k',coalesce(json(j),1)), json_set('{}','$.a',coalesce(json(j),1)), json_insert('{}','$.a',coalesce(json(j),1)), json_replace('{"a":1}','$.a',coalesce(json(j),1)), json_quote(coalesce(json(j),1)), json(jsonb_array(coalesce(json(j),1))), json(jsonb_object('k',coalesce(json(j),1))), subtype(coalesce(json(j),1)) FROM d
SELECT json_array(ifnull(NULL,json(j))), json_object('k',ifnull(NULL,json(j))), json_set('{}','$.a',ifnull(NULL,json(j))), json_insert('{}','$.a',ifnull(NULL,json(j))), json_replace('{"a":1}','$.a',ifnull(NULL,json(j))), json_quote(ifnull(NULL,json(j))), json(jsonb_array(ifnull(NULL,json(j)))), json(jsonb_object('k',ifnull(NULL,json(j)))), subtype(ifnull(NULL,json(j))) FROM d
SELECT json_array(iif(1,json(j),'x')), json_object('k',iif(1,json(j),'x')), json_set('{}','$.a',iif(1,json(j),'x')), json_insert('{}','$.a',iif(1,json(j),'x')), json_replace('{"a":1}','$.a',iif(1,json(j),'x')), json_quote(iif(1,json(j),'x')), json(jsonb_array(iif(1,json(j),'x'))), json(jsonb_object('k',iif(1,json(j),'x'))), subtype(iif(1,json(j),'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN json(j) ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN json(j) ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN json(j) ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN json(j) ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN json(j) ELSE '[0]' END), json_quote(CASE WHEN 1 THEN json(j) ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN json(j) ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN json(j) ELSE '[0]' END)), subtype(CASE WHEN 1 THEN json(j) ELSE '[0]' END) FROM d
SELECT json_array((SELECT json(j))), json_object('k',(SELECT json(j))), json_set('{}','$.a',(SELECT json(j))), json_insert('{}','$.a',(SELECT json(j))), json_replace('{"a":1}','$.a',(SELECT json(j))), json_quote((SELECT json(j))), json(jsonb_array((SELECT json(j)))), json(jsonb_object('k',(SELECT json(j)))), subtype((SELECT json(j))) FROM d
SELECT json_array((SELECT +(json(j)))), json_object('k',(SELECT +(json(j)))), json_set('{}','$.a',(SELECT +(json(j)))), json_insert('{}','$.a',(SELECT +(json(j)))), json_replace('{"a":1}','$.a',(SELECT +(json(j)))), json_quote((SELECT +(json(j)))), json(jsonb_array((SELECT +(json(j))))), json(jsonb_object('k',(SELECT +(json(j))))), subtype((SELECT +(json(j)))) FROM d
SELECT json_array(upper(json(j))), json_object('k',upper(json(j))), json_set('{}','$.a',upper(json(j))), json_insert('{}','$.a',upper(json(j))), json_replace('{"a":1}','$.a',upper(json(j))), json_quote(upper(json(j))), json(jsonb_array(upper(json(j)))), json(jsonb_object('k',upper(json(j)))), subtype(upper(json(j))) FROM d
SELECT json_array(json(j)||''), json_object('k',json(j)||''), json_set('{}','$.a',json(j)||''), json_insert('{}','$.a',json(j)||''), json_replace('{"a":1}','$.a',json(j)||''), json_quote(json(j)||''), json(jsonb_array(json(j)||'')), json(jsonb_object('k',json(j)||'')), subtype(json(j)||'') FROM d
SELECT json_array(max(json(j))), json_array(min(json(j))), json_quote(max(+json(j))) FROM d
SELECT json_group_array(json(j)), json_group_object('k',json(j)), json(jsonb_group_array(json(j))) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT json(j) x FROM d)
SELECT json_array(x) FROM (SELECT json(j) x FROM d)
SELECT json_array(x) FROM (SELECT +json(j) x FROM d)
WITH c AS (SELECT json(j) x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT json(j) x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT json(j) x FROM d)
SELECT json_object('k',+x) FROM (SELECT +json(j) x FROM d)
WITH c AS (SELECT json(j) x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT json(j) x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT json(j) x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +json(j) x FROM d)
WITH c AS (SELECT json(j) x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT json(j) x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT json(j) x FROM d)
SELECT json_array(json(j)), count(*) FROM d GROUP BY json(j) ORDER BY 1
SELECT json_array(max(json(j))) FROM d GROUP BY json(j) ORDER BY 1
SELECT json_group_array(json(j)) FROM d GROUP BY json(j) ORDER BY 1
SELECT json_array(json(j)) FROM d ORDER BY json(j) DESC
SELECT DISTINCT json_array(json(j)) FROM d
SELECT json_array(json(j)), rank() OVER () FROM d
SELECT json_group_array(json(j)) OVER () FROM d
SELECT json_array(max(json(j)) OVER ()) FROM d
SELECT json_array((SELECT json(j) FROM d LIMIT 1)), json_array((SELECT max(json(j)) FROM d)), json_array((SELECT json_group_array(json(j)) FROM d))

-- one path: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(json_extract(j,'$.a')), json_object('k',json_extract(j,'$.a')), json_set('{}','$.a',json_extract(j,'$.a')), json_insert('{}','$.a',json_extract(j,'$.a')), json_replace('{"a":1}','$.a',json_extract(j,'$.a')), json_quote(json_extract(j,'$.a')), json(jsonb_array(json_extract(j,'$.a'))), json(jsonb_object('k',json_extract(j,'$.a'))), subtype(json_extract(j,'$.a')) FROM d
SELECT json_array(+(json_extract(j,'$.a'))), json_object('k',+(json_extract(j,'$.a'))), json_set('{}','$.a',+(json_extract(j,'$.a'))), json_insert('{}','$.a',+(json_extract(j,'$.a'))), json_replace('{"a":1}','$.a',+(json_extract(j,'$.a'))), json_quote(+(json_extract(j,'$.a'))), json(jsonb_array(+(json_extract(j,'$.a')))), json(jsonb_object('k',+(json_extract(j,'$.a')))), subtype(+(json_extract(j,'$.a'))) FROM d
SELECT json_array(CAST(json_extract(j,'$.a') AS TEXT)), json_object('k',CAST(json_extract(j,'$.a') AS TEXT)), json_set('{}','$.a',CAST(json_extract(j,'$.a') AS TEXT)), json_insert('{}','$.a',CAST(json_extract(j,'$.a') AS TEXT)), json_replace('{"a":1}','$.a',CAST(json_extract(j,'$.a') AS TEXT)), json_quote(CAST(json_extract(j,'$.a') AS TEXT)), json(jsonb_array(CAST(json_extract(j,'$.a') AS TEXT))), json(jsonb_object('k',CAST(json_extract(j,'$.a') AS TEXT))), subtype(CAST(json_extract(j,'$.a') AS TEXT)) FROM d
SELECT json_array((json_extract(j,'$.a')) COLLATE nocase), json_object('k',(json_extract(j,'$.a')) COLLATE nocase), json_set('{}','$.a',(json_extract(j,'$.a')) COLLATE nocase), json_insert('{}','$.a',(json_extract(j,'$.a')) COLLATE nocase), json_replace('{"a":1}','$.a',(json_extract(j,'$.a')) COLLATE nocase), json_quote((json_extract(j,'$.a')) COLLATE nocase), json(jsonb_array((json_extract(j,'$.a')) COLLATE nocase)), json(jsonb_object('k',(json_extract(j,'$.a')) COLLATE nocase)), subtype((json_extract(j,'$.a')) COLLATE nocase) FROM d
SELECT json_array(nullif(json_extract(j,'$.a'),1)), json_object('k',nullif(json_extract(j,'$.a'),1)), json_set('{}','$.a',nullif(json_extract(j,'$.a'),1)), json_insert('{}','$.a',nullif(json_extract(j,'$.a'),1)), json_replace('{"a":1}','$.a',nullif(json_extract(j,'$.a'),1)), json_quote(nullif(json_extract(j,'$.a'),1)), json(jsonb_array(nullif(json_extract(j,'$.a'),1))), json(jsonb_object('k',nullif(json_extract(j,'$.a'),1))), subtype(nullif(json_extract(j,'$.a'),1)) FROM d
SELECT json_array(max(json_extract(j,'$.a'),'')), json_object('k',max(json_extract(j,'$.a'),'')), json_set('{}','$.a',max(json_extract(j,'$.a'),'')), json_insert('{}','$.a',max(json_extract(j,'$.a'),'')), json_replace('{"a":1}','$.a',max(json_extract(j,'$.a'),'')), json_quote(max(json_extract(j,'$.a'),'')), json(jsonb_array(max(json_extract(j,'$.a'),''))), json(jsonb_object('k',max(json_extract(j,'$.a'),''))), subtype(max(json_extract(j,'$.a'),'')) FROM d
SELECT json_array(min(json_extract(j,'$.a'),'~')), json_object('k',min(json_extract(j,'$.a'),'~')), json_set('{}','$.a',min(json_extract(j,'$.a'),'~')), json_insert('{}','$.a',min(json_extract(j,'$.a'),'~')), json_replace('{"a":1}','$.a',min(json_extract(j,'$.a'),'~')), json_quote(min(json_extract(j,'$.a'),'~')), json(jsonb_array(min(json_extract(j,'$.a'),'~'))), json(jsonb_object('k',min(json_extract(j,'$.a'),'~'))), subtype(min(json_extract(j,'$.a'),'~')) FROM d
SELECT json_array(coalesce(json_extract(j,'$.a'),1)), json_object('k',coalesce(json_extract(j,'$.a'),1)), json_set('{}','$.a',coalesce(json_extract(j,'$.a'),1)), json_insert('{}','$.a',coalesce(json_extract(j,'$.a'),1)), json_replace('{"a":1}','$.a',coalesce(json_extract(j,'$.a'),1)), json_quote(coalesce(json_extract(j,'$.a'),1)), json(jsonb_array(coalesce(json_extract(j,'$.a'),1))), json(jsonb_object('k',coalesce(json_extract(j,'$.a'),1))), subtype(coalesce(json_extract(j,'$.a'),1)) FROM d
SELECT json_array(ifnull(NULL,json_extract(j,'$.a'))), json_object('k',ifnull(NULL,json_extract(j,'$.a'))), json_set('{}','$.a',ifnull(NULL,json_extract(j,'$.a'))), json_insert('{}','$.a',ifnull(NULL,json_extract(j,'$.a'))), json_replace('{"a":1}','$.a',ifnull(NULL,json_extract(j,'$.a'))), json_quote(ifnull(NULL,json_extract(j,'$.a'))), json(jsonb_array(ifnull(NULL,json_extract(j,'$.a')))), json(jsonb_object('k',ifnull(NULL,json_extract(j,'$.a')))), subtype(ifnull(NULL,json_extract(j,'$.a'))) FROM d
SELECT json_array(iif(1,json_extract(j,'$.a'),'x')), json_object('k',iif(1,json_extract(j,'$.a'),'x')), json_set('{}','$.a',iif(1,json_extract(j,'$.a'),'x')), json_insert('{}','$.a',iif(1,json_extract(j,'$.a'),'x')), json_replace('{"a":1}','$.a',iif(1,json_extract(j,'$.a'),'x')), json_quote(iif(1,json_extract(j,'$.a'),'x')), json(jsonb_array(iif(1,json_extract(j,'$.a'),'x'))), json(jsonb_object('k',iif(1,json_extract(j,'$.a'),'x'))), subtype(iif(1,json_extract(j,'$.a'),'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END), json_quote(CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END)), subtype(CASE WHEN 1 THEN json_extract(j,'$.a') ELSE '[0]' END) FROM d
SELECT json_array((SELECT json_extract(j,'$.a'))), json_object('k',(SELECT json_extract(j,'$.a'))), json_set('{}','$.a',(SELECT json_extract(j,'$.a'))), json_insert('{}','$.a',(SELECT json_extract(j,'$.a'))), json_replace('{"a":1}','$.a',(SELECT json_extract(j,'$.a'))), json_quote((SELECT json_extract(j,'$.a'))), json(jsonb_array((SELECT json_extract(j,'$.a')))), json(jsonb_object('k',(SELECT json_extract(j,'$.a')))), subtype((SELECT json_extract(j,'$.a'))) FROM d
SELECT json_array((SELECT +(json_extract(j,'$.a')))), json_object('k',(SELECT +(json_extract(j,'$.a')))), json_set('{}','$.a',(SELECT +(json_extract(j,'$.a')))), json_insert('{}','$.a',(SELECT +(json_extract(j,'$.a')))), json_replace('{"a":1}','$.a',(SELECT +(json_extract(j,'$.a')))), json_quote((SELECT +(json_extract(j,'$.a')))), json(jsonb_array((SELECT +(json_extract(j,'$.a'))))), json(jsonb_object('k',(SELECT +(json_extract(j,'$.a'))))), subtype((SELECT +(json_extract(j,'$.a')))) FROM d
SELECT json_array(upper(json_extract(j,'$.a'))), json_object('k',upper(json_extract(j,'$.a'))), json_set('{}','$.a',upper(json_extract(j,'$.a'))), json_insert('{}','$.a',upper(json_extract(j,'$.a'))), json_replace('{"a":1}','$.a',upper(json_extract(j,'$.a'))), json_quote(upper(json_extract(j,'$.a'))), json(jsonb_array(upper(json_extract(j,'$.a')))), json(jsonb_object('k',upper(json_extract(j,'$.a')))), subtype(upper(json_extract(j,'$.a'))) FROM d
SELECT json_array(json_extract(j,'$.a')||''), json_object('k',json_extract(j,'$.a')||''), json_set('{}','$.a',json_extract(j,'$.a')||''), json_insert('{}','$.a',json_extract(j,'$.a')||''), json_replace('{"a":1}','$.a',json_extract(j,'$.a')||''), json_quote(json_extract(j,'$.a')||''), json(jsonb_array(json_extract(j,'$.a')||'')), json(jsonb_object('k',json_extract(j,'$.a')||'')), subtype(json_extract(j,'$.a')||'') FROM d
SELECT json_array(max(json_extract(j,'$.a'))), json_array(min(json_extract(j,'$.a'))), json_quote(max(+json_extract(j,'$.a'))) FROM d
SELECT json_group_array(json_extract(j,'$.a')), json_group_object('k',json_extract(j,'$.a')), json(jsonb_group_array(json_extract(j,'$.a'))) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT json_extract(j,'$.a') x FROM d)
SELECT json_array(x) FROM (SELECT json_extract(j,'$.a') x FROM d)
SELECT json_array(x) FROM (SELECT +json_extract(j,'$.a') x FROM d)
WITH c AS (SELECT json_extract(j,'$.a') x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.a') x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT json_extract(j,'$.a') x FROM d)
SELECT json_object('k',+x) FROM (SELECT +json_extract(j,'$.a') x FROM d)
WITH c AS (SELECT json_extract(j,'$.a') x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.a') x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT json_extract(j,'$.a') x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +json_extract(j,'$.a') x FROM d)
WITH c AS (SELECT json_extract(j,'$.a') x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.a') x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT json_extract(j,'$.a') x FROM d)
SELECT json_array(json_extract(j,'$.a')), count(*) FROM d GROUP BY json_extract(j,'$.a') ORDER BY 1
SELECT json_array(max(json_extract(j,'$.a'))) FROM d GROUP BY json_extract(j,'$.a') ORDER BY 1
SELECT json_group_array(json_extract(j,'$.a')) FROM d GROUP BY json_extract(j,'$.a') ORDER BY 1
SELECT json_array(json_extract(j,'$.a')) FROM d ORDER BY json_extract(j,'$.a') DESC
SELECT DISTINCT json_array(json_extract(j,'$.a')) FROM d
SELECT json_array(json_extract(j,'$.a')), rank() OVER () FROM d
SELECT json_group_array(json_extract(j,'$.a')) OVER () FROM d
SELECT json_array(max(json_extract(j,'$.a')) OVER ()) FROM d
SELECT json_array((SELECT json_extract(j,'$.a') FROM d LIMIT 1)), json_array((SELECT max(json_extract(j,'$.a')) FROM d)), json_array((SELECT json_group_array(json_extract(j,'$.a')) FROM d))

-- one path to a text: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(json_extract(j,'$.b')), json_object('k',json_extract(j,'$.b')), json_set('{}','$.a',json_extract(j,'$.b')), json_insert('{}','$.a',json_extract(j,'$.b')), json_replace('{"a":1}','$.a',json_extract(j,'$.b')), json_quote(json_extract(j,'$.b')), json(jsonb_array(json_extract(j,'$.b'))), json(jsonb_object('k',json_extract(j,'$.b'))), subtype(json_extract(j,'$.b')) FROM d
SELECT json_array(+(json_extract(j,'$.b'))), json_object('k',+(json_extract(j,'$.b'))), json_set('{}','$.a',+(json_extract(j,'$.b'))), json_insert('{}','$.a',+(json_extract(j,'$.b'))), json_replace('{"a":1}','$.a',+(json_extract(j,'$.b'))), json_quote(+(json_extract(j,'$.b'))), json(jsonb_array(+(json_extract(j,'$.b')))), json(jsonb_object('k',+(json_extract(j,'$.b')))), subtype(+(json_extract(j,'$.b'))) FROM d
SELECT json_array(CAST(json_extract(j,'$.b') AS TEXT)), json_object('k',CAST(json_extract(j,'$.b') AS TEXT)), json_set('{}','$.a',CAST(json_extract(j,'$.b') AS TEXT)), json_insert('{}','$.a',CAST(json_extract(j,'$.b') AS TEXT)), json_replace('{"a":1}','$.a',CAST(json_extract(j,'$.b') AS TEXT)), json_quote(CAST(json_extract(j,'$.b') AS TEXT)), json(jsonb_array(CAST(json_extract(j,'$.b') AS TEXT))), json(jsonb_object('k',CAST(json_extract(j,'$.b') AS TEXT))), subtype(CAST(json_extract(j,'$.b') AS TEXT)) FROM d
SELECT json_array((json_extract(j,'$.b')) COLLATE nocase), json_object('k',(json_extract(j,'$.b')) COLLATE nocase), json_set('{}','$.a',(json_extract(j,'$.b')) COLLATE nocase), json_insert('{}','$.a',(json_extract(j,'$.b')) COLLATE nocase), json_replace('{"a":1}','$.a',(json_extract(j,'$.b')) COLLATE nocase), json_quote((json_extract(j,'$.b')) COLLATE nocase), json(jsonb_array((json_extract(j,'$.b')) COLLATE nocase)), json(jsonb_object('k',(json_extract(j,'$.b')) COLLATE nocase)), subtype((json_extract(j,'$.b')) COLLATE nocase) FROM d
SELECT json_array(nullif(json_extract(j,'$.b'),1)), json_object('k',nullif(json_extract(j,'$.b'),1)), json_set('{}','$.a',nullif(json_extract(j,'$.b'),1)), json_insert('{}','$.a',nullif(json_extract(j,'$.b'),1)), json_replace('{"a":1}','$.a',nullif(json_extract(j,'$.b'),1)), json_quote(nullif(json_extract(j,'$.b'),1)), json(jsonb_array(nullif(json_extract(j,'$.b'),1))), json(jsonb_object('k',nullif(json_extract(j,'$.b'),1))), subtype(nullif(json_extract(j,'$.b'),1)) FROM d
SELECT json_array(max(json_extract(j,'$.b'),'')), json_object('k',max(json_extract(j,'$.b'),'')), json_set('{}','$.a',max(json_extract(j,'$.b'),'')), json_insert('{}','$.a',max(json_extract(j,'$.b'),'')), json_replace('{"a":1}','$.a',max(json_extract(j,'$.b'),'')), json_quote(max(json_extract(j,'$.b'),'')), json(jsonb_array(max(json_extract(j,'$.b'),''))), json(jsonb_object('k',max(json_extract(j,'$.b'),''))), subtype(max(json_extract(j,'$.b'),'')) FROM d
SELECT json_array(min(json_extract(j,'$.b'),'~')), json_object('k',min(json_extract(j,'$.b'),'~')), json_set('{}','$.a',min(json_extract(j,'$.b'),'~')), json_insert('{}','$.a',min(json_extract(j,'$.b'),'~')), json_replace('{"a":1}','$.a',min(json_extract(j,'$.b'),'~')), json_quote(min(json_extract(j,'$.b'),'~')), json(jsonb_array(min(json_extract(j,'$.b'),'~'))), json(jsonb_object('k',min(json_extract(j,'$.b'),'~'))), subtype(min(json_extract(j,'$.b'),'~')) FROM d
SELECT json_array(coalesce(json_extract(j,'$.b'),1)), json_object('k',coalesce(json_extract(j,'$.b'),1)), json_set('{}','$.a',coalesce(json_extract(j,'$.b'),1)), json_insert('{}','$.a',coalesce(json_extract(j,'$.b'),1)), json_replace('{"a":1}','$.a',coalesce(json_extract(j,'$.b'),1)), json_quote(coalesce(json_extract(j,'$.b'),1)), json(jsonb_array(coalesce(json_extract(j,'$.b'),1))), json(jsonb_object('k',coalesce(json_extract(j,'$.b'),1))), subtype(coalesce(json_extract(j,'$.b'),1)) FROM d
SELECT json_array(ifnull(NULL,json_extract(j,'$.b'))), json_object('k',ifnull(NULL,json_extract(j,'$.b'))), json_set('{}','$.a',ifnull(NULL,json_extract(j,'$.b'))), json_insert('{}','$.a',ifnull(NULL,json_extract(j,'$.b'))), json_replace('{"a":1}','$.a',ifnull(NULL,json_extract(j,'$.b'))), json_quote(ifnull(NULL,json_extract(j,'$.b'))), json(jsonb_array(ifnull(NULL,json_extract(j,'$.b')))), json(jsonb_object('k',ifnull(NULL,json_extract(j,'$.b')))), subtype(ifnull(NULL,json_extract(j,'$.b'))) FROM d
SELECT json_array(iif(1,json_extract(j,'$.b'),'x')), json_object('k',iif(1,json_extract(j,'$.b'),'x')), json_set('{}','$.a',iif(1,json_extract(j,'$.b'),'x')), json_insert('{}','$.a',iif(1,json_extract(j,'$.b'),'x')), json_replace('{"a":1}','$.a',iif(1,json_extract(j,'$.b'),'x')), json_quote(iif(1,json_extract(j,'$.b'),'x')), json(jsonb_array(iif(1,json_extract(j,'$.b'),'x'))), json(jsonb_object('k',iif(1,json_extract(j,'$.b'),'x'))), subtype(iif(1,json_extract(j,'$.b'),'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END), json_quote(CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END)), subtype(CASE WHEN 1 THEN json_extract(j,'$.b') ELSE '[0]' END) FROM d
SELECT json_array((SELECT json_extract(j,'$.b'))), json_object('k',(SELECT json_extract(j,'$.b'))), json_set('{}','$.a',(SELECT json_extract(j,'$.b'))), json_insert('{}','$.a',(SELECT json_extract(j,'$.b'))), json_replace('{"a":1}','$.a',(SELECT json_extract(j,'$.b'))), json_quote((SELECT json_extract(j,'$.b'))), json(jsonb_array((SELECT json_extract(j,'$.b')))), json(jsonb_object('k',(SELECT json_extract(j,'$.b')))), subtype((SELECT json_extract(j,'$.b'))) FROM d
SELECT json_array((SELECT +(json_extract(j,'$.b')))), json_object('k',(SELECT +(json_extract(j,'$.b')))), json_set('{}','$.a',(SELECT +(json_extract(j,'$.b')))), json_insert('{}','$.a',(SELECT +(json_extract(j,'$.b')))), json_replace('{"a":1}','$.a',(SELECT +(json_extract(j,'$.b')))), json_quote((SELECT +(json_extract(j,'$.b')))), json(jsonb_array((SELECT +(json_extract(j,'$.b'))))), json(jsonb_object('k',(SELECT +(json_extract(j,'$.b'))))), subtype((SELECT +(json_extract(j,'$.b')))) FROM d
SELECT json_array(upper(json_extract(j,'$.b'))), json_object('k',upper(json_extract(j,'$.b'))), json_set('{}','$.a',upper(json_extract(j,'$.b'))), json_insert('{}','$.a',upper(json_extract(j,'$.b'))), json_replace('{"a":1}','$.a',upper(json_extract(j,'$.b'))), json_quote(upper(json_extract(j,'$.b'))), json(jsonb_array(upper(json_extract(j,'$.b')))), json(jsonb_object('k',upper(json_extract(j,'$.b')))), subtype(upper(json_extract(j,'$.b'))) FROM d
SELECT json_array(json_extract(j,'$.b')||''), json_object('k',json_extract(j,'$.b')||''), json_set('{}','$.a',json_extract(j,'$.b')||''), json_insert('{}','$.a',json_extract(j,'$.b')||''), json_replace('{"a":1}','$.a',json_extract(j,'$.b')||''), json_quote(json_extract(j,'$.b')||''), json(jsonb_array(json_extract(j,'$.b')||'')), json(jsonb_object('k',json_extract(j,'$.b')||'')), subtype(json_extract(j,'$.b')||'') FROM d
SELECT json_array(max(json_extract(j,'$.b'))), json_array(min(json_extract(j,'$.b'))), json_quote(max(+json_extract(j,'$.b'))) FROM d
SELECT json_group_array(json_extract(j,'$.b')), json_group_object('k',json_extract(j,'$.b')), json(jsonb_group_array(json_extract(j,'$.b'))) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT json_extract(j,'$.b') x FROM d)
SELECT json_array(x) FROM (SELECT json_extract(j,'$.b') x FROM d)
SELECT json_array(x) FROM (SELECT +json_extract(j,'$.b') x FROM d)
WITH c AS (SELECT json_extract(j,'$.b') x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.b') x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT json_extract(j,'$.b') x FROM d)
SELECT json_object('k',+x) FROM (SELECT +json_extract(j,'$.b') x FROM d)
WITH c AS (SELECT json_extract(j,'$.b') x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.b') x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT json_extract(j,'$.b') x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +json_extract(j,'$.b') x FROM d)
WITH c AS (SELECT json_extract(j,'$.b') x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.b') x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT json_extract(j,'$.b') x FROM d)
SELECT json_array(json_extract(j,'$.b')), count(*) FROM d GROUP BY json_extract(j,'$.b') ORDER BY 1
SELECT json_array(max(json_extract(j,'$.b'))) FROM d GROUP BY json_extract(j,'$.b') ORDER BY 1
SELECT json_group_array(json_extract(j,'$.b')) FROM d GROUP BY json_extract(j,'$.b') ORDER BY 1
SELECT json_array(json_extract(j,'$.b')) FROM d ORDER BY json_extract(j,'$.b') DESC
SELECT DISTINCT json_array(json_extract(j,'$.b')) FROM d
SELECT json_array(json_extract(j,'$.b')), rank() OVER () FROM d
SELECT json_group_array(json_extract(j,'$.b')) OVER () FROM d
SELECT json_array(max(json_extract(j,'$.b')) OVER ()) FROM d
SELECT json_array((SELECT json_extract(j,'$.b') FROM d LIMIT 1)), json_array((SELECT max(json_extract(j,'$.b')) FROM d)), json_array((SELECT json_group_array(json_extract(j,'$.b')) FROM d))

-- several paths: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(json_extract(j,'$.a','$.b')), json_object('k',json_extract(j,'$.a','$.b')), json_set('{}','$.a',json_extract(j,'$.a','$.b')), json_insert('{}','$.a',json_extract(j,'$.a','$.b')), json_replace('{"a":1}','$.a',json_extract(j,'$.a','$.b')), json_quote(json_extract(j,'$.a','$.b')), json(jsonb_array(json_extract(j,'$.a','$.b'))), json(jsonb_object('k',json_extract(j,'$.a','$.b'))), subtype(json_extract(j,'$.a','$.b')) FROM d
SELECT json_array(+(json_extract(j,'$.a','$.b'))), json_object('k',+(json_extract(j,'$.a','$.b'))), json_set('{}','$.a',+(json_extract(j,'$.a','$.b'))), json_insert('{}','$.a',+(json_extract(j,'$.a','$.b'))), json_replace('{"a":1}','$.a',+(json_extract(j,'$.a','$.b'))), json_quote(+(json_extract(j,'$.a','$.b'))), json(jsonb_array(+(json_extract(j,'$.a','$.b')))), json(jsonb_object('k',+(json_extract(j,'$.a','$.b')))), subtype(+(json_extract(j,'$.a','$.b'))) FROM d
SELECT json_array(CAST(json_extract(j,'$.a','$.b') AS TEXT)), json_object('k',CAST(json_extract(j,'$.a','$.b') AS TEXT)), json_set('{}','$.a',CAST(json_extract(j,'$.a','$.b') AS TEXT)), json_insert('{}','$.a',CAST(json_extract(j,'$.a','$.b') AS TEXT)), json_replace('{"a":1}','$.a',CAST(json_extract(j,'$.a','$.b') AS TEXT)), json_quote(CAST(json_extract(j,'$.a','$.b') AS TEXT)), json(jsonb_array(CAST(json_extract(j,'$.a','$.b') AS TEXT))), json(jsonb_object('k',CAST(json_extract(j,'$.a','$.b') AS TEXT))), subtype(CAST(json_extract(j,'$.a','$.b') AS TEXT)) FROM d
SELECT json_array((json_extract(j,'$.a','$.b')) COLLATE nocase), json_object('k',(json_extract(j,'$.a','$.b')) COLLATE nocase), json_set('{}','$.a',(json_extract(j,'$.a','$.b')) COLLATE nocase), json_insert('{}','$.a',(json_extract(j,'$.a','$.b')) COLLATE nocase), json_replace('{"a":1}','$.a',(json_extract(j,'$.a','$.b')) COLLATE nocase), json_quote((json_extract(j,'$.a','$.b')) COLLATE nocase), json(jsonb_array((json_extract(j,'$.a','$.b')) COLLATE nocase)), json(jsonb_object('k',(json_extract(j,'$.a','$.b')) COLLATE nocase)), subtype((json_extract(j,'$.a','$.b')) COLLATE nocase) FROM d
SELECT json_array(nullif(json_extract(j,'$.a','$.b'),1)), json_object('k',nullif(json_extract(j,'$.a','$.b'),1)), json_set('{}','$.a',nullif(json_extract(j,'$.a','$.b'),1)), json_insert('{}','$.a',nullif(json_extract(j,'$.a','$.b'),1)), json_replace('{"a":1}','$.a',nullif(json_extract(j,'$.a','$.b'),1)), json_quote(nullif(json_extract(j,'$.a','$.b'),1)), json(jsonb_array(nullif(json_extract(j,'$.a','$.b'),1))), json(jsonb_object('k',nullif(json_extract(j,'$.a','$.b'),1))), subtype(nullif(json_extract(j,'$.a','$.b'),1)) FROM d
SELECT json_array(max(json_extract(j,'$.a','$.b'),'')), json_object('k',max(json_extract(j,'$.a','$.b'),'')), json_set('{}','$.a',max(json_extract(j,'$.a','$.b'),'')), json_insert('{}','$.a',max(json_extract(j,'$.a','$.b'),'')), json_replace('{"a":1}','$.a',max(json_extract(j,'$.a','$.b'),'')), json_quote(max(json_extract(j,'$.a','$.b'),'')), json(jsonb_array(max(json_extract(j,'$.a','$.b'),''))), json(jsonb_object('k',max(json_extract(j,'$.a','$.b'),''))), subtype(max(json_extract(j,'$.a','$.b'),'')) FROM d
SELECT json_array(min(json_extract(j,'$.a','$.b'),'~')), json_object('k',min(json_extract(j,'$.a','$.b'),'~')), json_set('{}','$.a',min(json_extract(j,'$.a','$.b'),'~')), json_insert('{}','$.a',min(json_extract(j,'$.a','$.b'),'~')), json_replace('{"a":1}','$.a',min(json_extract(j,'$.a','$.b'),'~')), json_quote(min(json_extract(j,'$.a','$.b'),'~')), json(jsonb_array(min(json_extract(j,'$.a','$.b'),'~'))), json(jsonb_object('k',min(json_extract(j,'$.a','$.b'),'~'))), subtype(min(json_extract(j,'$.a','$.b'),'~')) FROM d
SELECT json_array(coalesce(json_extract(j,'$.a','$.b'),1)), json_object('k',coalesce(json_extract(j,'$.a','$.b'),1)), json_set('{}','$.a',coalesce(json_extract(j,'$.a','$.b'),1)), json_insert('{}','$.a',coalesce(json_extract(j,'$.a','$.b'),1)), json_replace('{"a":1}','$.a',coalesce(json_extract(j,'$.a','$.b'),1)), json_quote(coalesce(json_extract(j,'$.a','$.b'),1)), json(jsonb_array(coalesce(json_extract(j,'$.a','$.b'),1))), json(jsonb_object('k',coalesce(json_extract(j,'$.a','$.b'),1))), subtype(coalesce(json_extract(j,'$.a','$.b'),1)) FROM d
SELECT json_array(ifnull(NULL,json_extract(j,'$.a','$.b'))), json_object('k',ifnull(NULL,json_extract(j,'$.a','$.b'))), json_set('{}','$.a',ifnull(NULL,json_extract(j,'$.a','$.b'))), json_insert('{}','$.a',ifnull(NULL,json_extract(j,'$.a','$.b'))), json_replace('{"a":1}','$.a',ifnull(NULL,json_extract(j,'$.a','$.b'))), json_quote(ifnull(NULL,json_extract(j,'$.a','$.b'))), json(jsonb_array(ifnull(NULL,json_extract(j,'$.a','$.b')))), json(jsonb_object('k',ifnull(NULL,json_extract(j,'$.a','$.b')))), subtype(ifnull(NULL,json_extract(j,'$.a','$.b'))) FROM d
SELECT json_array(iif(1,json_extract(j,'$.a','$.b'),'x')), json_object('k',iif(1,json_extract(j,'$.a','$.b'),'x')), json_set('{}','$.a',iif(1,json_extract(j,'$.a','$.b'),'x')), json_insert('{}','$.a',iif(1,json_extract(j,'$.a','$.b'),'x')), json_replace('{"a":1}','$.a',iif(1,json_extract(j,'$.a','$.b'),'x')), json_quote(iif(1,json_extract(j,'$.a','$.b'),'x')), json(jsonb_array(iif(1,json_extract(j,'$.a','$.b'),'x'))), json(jsonb_object('k',iif(1,json_extract(j,'$.a','$.b'),'x'))), subtype(iif(1,json_extract(j,'$.a','$.b'),'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END), json_quote(CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END)), subtype(CASE WHEN 1 THEN json_extract(j,'$.a','$.b') ELSE '[0]' END) FROM d
SELECT json_array((SELECT json_extract(j,'$.a','$.b'))), json_object('k',(SELECT json_extract(j,'$.a','$.b'))), json_set('{}','$.a',(SELECT json_extract(j,'$.a','$.b'))), json_insert('{}','$.a',(SELECT json_extract(j,'$.a','$.b'))), json_replace('{"a":1}','$.a',(SELECT json_extract(j,'$.a','$.b'))), json_quote((SELECT json_extract(j,'$.a','$.b'))), json(jsonb_array((SELECT json_extract(j,'$.a','$.b')))), json(jsonb_object('k',(SELECT json_extract(j,'$.a','$.b')))), subtype((SELECT json_extract(j,'$.a','$.b'))) FROM d
SELECT json_array((SELECT +(json_extract(j,'$.a','$.b')))), json_object('k',(SELECT +(json_extract(j,'$.a','$.b')))), json_set('{}','$.a',(SELECT +(json_extract(j,'$.a','$.b')))), json_insert('{}','$.a',(SELECT +(json_extract(j,'$.a','$.b')))), json_replace('{"a":1}','$.a',(SELECT +(json_extract(j,'$.a','$.b')))), json_quote((SELECT +(json_extract(j,'$.a','$.b')))), json(jsonb_array((SELECT +(json_extract(j,'$.a','$.b'))))), json(jsonb_object('k',(SELECT +(json_extract(j,'$.a','$.b'))))), subtype((SELECT +(json_extract(j,'$.a','$.b')))) FROM d
SELECT json_array(upper(json_extract(j,'$.a','$.b'))), json_object('k',upper(json_extract(j,'$.a','$.b'))), json_set('{}','$.a',upper(json_extract(j,'$.a','$.b'))), json_insert('{}','$.a',upper(json_extract(j,'$.a','$.b'))), json_replace('{"a":1}','$.a',upper(json_extract(j,'$.a','$.b'))), json_quote(upper(json_extract(j,'$.a','$.b'))), json(jsonb_array(upper(json_extract(j,'$.a','$.b')))), json(jsonb_object('k',upper(json_extract(j,'$.a','$.b')))), subtype(upper(json_extract(j,'$.a','$.b'))) FROM d
SELECT json_array(json_extract(j,'$.a','$.b')||''), json_object('k',json_extract(j,'$.a','$.b')||''), json_set('{}','$.a',json_extract(j,'$.a','$.b')||''), json_insert('{}','$.a',json_extract(j,'$.a','$.b')||''), json_replace('{"a":1}','$.a',json_extract(j,'$.a','$.b')||''), json_quote(json_extract(j,'$.a','$.b')||''), json(jsonb_array(json_extract(j,'$.a','$.b')||'')), json(jsonb_object('k',json_extract(j,'$.a','$.b')||'')), subtype(json_extract(j,'$.a','$.b')||'') FROM d
SELECT json_array(max(json_extract(j,'$.a','$.b'))), json_array(min(json_extract(j,'$.a','$.b'))), json_quote(max(+json_extract(j,'$.a','$.b'))) FROM d
SELECT json_group_array(json_extract(j,'$.a','$.b')), json_group_object('k',json_extract(j,'$.a','$.b')), json(jsonb_group_array(json_extract(j,'$.a','$.b'))) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT json_extract(j,'$.a','$.b') x FROM d)
SELECT json_array(x) FROM (SELECT json_extract(j,'$.a','$.b') x FROM d)
SELECT json_array(x) FROM (SELECT +json_extract(j,'$.a','$.b') x FROM d)
WITH c AS (SELECT json_extract(j,'$.a','$.b') x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.a','$.b') x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT json_extract(j,'$.a','$.b') x FROM d)
SELECT json_object('k',+x) FROM (SELECT +json_extract(j,'$.a','$.b') x FROM d)
WITH c AS (SELECT json_extract(j,'$.a','$.b') x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.a','$.b') x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT json_extract(j,'$.a','$.b') x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +json_extract(j,'$.a','$.b') x FROM d)
WITH c AS (SELECT json_extract(j,'$.a','$.b') x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT json_extract(j,'$.a','$.b') x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT json_extract(j,'$.a','$.b') x FROM d)
SELECT json_array(json_extract(j,'$.a','$.b')), count(*) FROM d GROUP BY json_extract(j,'$.a','$.b') ORDER BY 1
SELECT json_array(max(json_extract(j,'$.a','$.b'))) FROM d GROUP BY json_extract(j,'$.a','$.b') ORDER BY 1
SELECT json_group_array(json_extract(j,'$.a','$.b')) FROM d GROUP BY json_extract(j,'$.a','$.b') ORDER BY 1
SELECT json_array(json_extract(j,'$.a','$.b')) FROM d ORDER BY json_extract(j,'$.a','$.b') DESC
SELECT DISTINCT json_array(json_extract(j,'$.a','$.b')) FROM d
SELECT json_array(json_extract(j,'$.a','$.b')), rank() OVER () FROM d
SELECT json_group_array(json_extract(j,'$.a','$.b')) OVER () FROM d
SELECT json_array(max(json_extract(j,'$.a','$.b')) OVER ()) FROM d
SELECT json_array((SELECT json_extract(j,'$.a','$.b') FROM d LIMIT 1)), json_array((SELECT max(json_extract(j,'$.a','$.b')) FROM d)), json_array((SELECT json_group_array(json_extract(j,'$.a','$.b')) FROM d))

-- json_array: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(json_array(id)), json_object('k',json_array(id)), json_set('{}','$.a',json_array(id)), json_insert('{}','$.a',json_array(id)), json_replace('{"a":1}','$.a',json_array(id)), json_quote(json_array(id)), json(jsonb_array(json_array(id))), json(jsonb_object('k',json_array(id))), subtype(json_array(id)) FROM d
SELECT json_array(+(json_array(id))), json_object('k',+(json_array(id))), json_set('{}','$.a',+(json_array(id))), json_insert('{}','$.a',+(json_array(id))), json_replace('{"a":1}','$.a',+(json_array(id))), json_quote(+(json_array(id))), json(jsonb_array(+(json_array(id)))), json(jsonb_object('k',+(json_array(id)))), subtype(+(json_array(id))) FROM d
SELECT json_array(CAST(json_array(id) AS TEXT)), json_object('k',CAST(json_array(id) AS TEXT)), json_set('{}','$.a',CAST(json_array(id) AS TEXT)), json_insert('{}','$.a',CAST(json_array(id) AS TEXT)), json_replace('{"a":1}','$.a',CAST(json_array(id) AS TEXT)), json_quote(CAST(json_array(id) AS TEXT)), json(jsonb_array(CAST(json_array(id) AS TEXT))), json(jsonb_object('k',CAST(json_array(id) AS TEXT))), subtype(CAST(json_array(id) AS TEXT)) FROM d
SELECT json_array((json_array(id)) COLLATE nocase), json_object('k',(json_array(id)) COLLATE nocase), json_set('{}','$.a',(json_array(id)) COLLATE nocase), json_insert('{}','$.a',(json_array(id)) COLLATE nocase), json_replace('{"a":1}','$.a',(json_array(id)) COLLATE nocase), json_quote((json_array(id)) COLLATE nocase), json(jsonb_array((json_array(id)) COLLATE nocase)), json(jsonb_object('k',(json_array(id)) COLLATE nocase)), subtype((json_array(id)) COLLATE nocase) FROM d
SELECT json_array(nullif(json_array(id),1)), json_object('k',nullif(json_array(id),1)), json_set('{}','$.a',nullif(json_array(id),1)), json_insert('{}','$.a',nullif(json_array(id),1)), json_replace('{"a":1}','$.a',nullif(json_array(id),1)), json_quote(nullif(json_array(id),1)), json(jsonb_array(nullif(json_array(id),1))), json(jsonb_object('k',nullif(json_array(id),1))), subtype(nullif(json_array(id),1)) FROM d
SELECT json_array(max(json_array(id),'')), json_object('k',max(json_array(id),'')), json_set('{}','$.a',max(json_array(id),'')), json_insert('{}','$.a',max(json_array(id),'')), json_replace('{"a":1}','$.a',max(json_array(id),'')), json_quote(max(json_array(id),'')), json(jsonb_array(max(json_array(id),''))), json(jsonb_object('k',max(json_array(id),''))), subtype(max(json_array(id),'')) FROM d
SELECT json_array(min(json_array(id),'~')), json_object('k',min(json_array(id),'~')), json_set('{}','$.a',min(json_array(id),'~')), json_insert('{}','$.a',min(json_array(id),'~')), json_replace('{"a":1}','$.a',min(json_array(id),'~')), json_quote(min(json_array(id),'~')), json(jsonb_array(min(json_array(id),'~'))), json(jsonb_object('k',min(json_array(id),'~'))), subtype(min(json_array(id),'~')) FROM d
SELECT json_array(coalesce(json_array(id),1)), json_object('k',coalesce(json_array(id),1)), json_set('{}','$.a',coalesce(json_array(id),1)), json_insert('{}','$.a',coalesce(json_array(id),1)), json_replace('{"a":1}','$.a',coalesce(json_array(id),1)), json_quote(coalesce(json_array(id),1)), json(jsonb_array(coalesce(json_array(id),1))), json(jsonb_object('k',coalesce(json_array(id),1))), subtype(coalesce(json_array(id),1)) FROM d
SELECT json_array(ifnull(NULL,json_array(id))), json_object('k',ifnull(NULL,json_array(id))), json_set('{}','$.a',ifnull(NULL,json_array(id))), json_insert('{}','$.a',ifnull(NULL,json_array(id))), json_replace('{"a":1}','$.a',ifnull(NULL,json_array(id))), json_quote(ifnull(NULL,json_array(id))), json(jsonb_array(ifnull(NULL,json_array(id)))), json(jsonb_object('k',ifnull(NULL,json_array(id)))), subtype(ifnull(NULL,json_array(id))) FROM d
SELECT json_array(iif(1,json_array(id),'x')), json_object('k',iif(1,json_array(id),'x')), json_set('{}','$.a',iif(1,json_array(id),'x')), json_insert('{}','$.a',iif(1,json_array(id),'x')), json_replace('{"a":1}','$.a',iif(1,json_array(id),'x')), json_quote(iif(1,json_array(id),'x')), json(jsonb_array(iif(1,json_array(id),'x'))), json(jsonb_object('k',iif(1,json_array(id),'x'))), subtype(iif(1,json_array(id),'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN json_array(id) ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN json_array(id) ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN json_array(id) ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN json_array(id) ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN json_array(id) ELSE '[0]' END), json_quote(CASE WHEN 1 THEN json_array(id) ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN json_array(id) ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN json_array(id) ELSE '[0]' END)), subtype(CASE WHEN 1 THEN json_array(id) ELSE '[0]' END) FROM d
SELECT json_array((SELECT json_array(id))), json_object('k',(SELECT json_array(id))), json_set('{}','$.a',(SELECT json_array(id))), json_insert('{}','$.a',(SELECT json_array(id))), json_replace('{"a":1}','$.a',(SELECT json_array(id))), json_quote((SELECT json_array(id))), json(jsonb_array((SELECT json_array(id)))), json(jsonb_object('k',(SELECT json_array(id)))), subtype((SELECT json_array(id))) FROM d
SELECT json_array((SELECT +(json_array(id)))), json_object('k',(SELECT +(json_array(id)))), json_set('{}','$.a',(SELECT +(json_array(id)))), json_insert('{}','$.a',(SELECT +(json_array(id)))), json_replace('{"a":1}','$.a',(SELECT +(json_array(id)))), json_quote((SELECT +(json_array(id)))), json(jsonb_array((SELECT +(json_array(id))))), json(jsonb_object('k',(SELECT +(json_array(id))))), subtype((SELECT +(json_array(id)))) FROM d
SELECT json_array(upper(json_array(id))), json_object('k',upper(json_array(id))), json_set('{}','$.a',upper(json_array(id))), json_insert('{}','$.a',upper(json_array(id))), json_replace('{"a":1}','$.a',upper(json_array(id))), json_quote(upper(json_array(id))), json(jsonb_array(upper(json_array(id)))), json(jsonb_object('k',upper(json_array(id)))), subtype(upper(json_array(id))) FROM d
SELECT json_array(json_array(id)||''), json_object('k',json_array(id)||''), json_set('{}','$.a',json_array(id)||''), json_insert('{}','$.a',json_array(id)||''), json_replace('{"a":1}','$.a',json_array(id)||''), json_quote(json_array(id)||''), json(jsonb_array(json_array(id)||'')), json(jsonb_object('k',json_array(id)||'')), subtype(json_array(id)||'') FROM d
SELECT json_array(max(json_array(id))), json_array(min(json_array(id))), json_quote(max(+json_array(id))) FROM d
SELECT json_group_array(json_array(id)), json_group_object('k',json_array(id)), json(jsonb_group_array(json_array(id))) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT json_array(id) x FROM d)
SELECT json_array(x) FROM (SELECT json_array(id) x FROM d)
SELECT json_array(x) FROM (SELECT +json_array(id) x FROM d)
WITH c AS (SELECT json_array(id) x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT json_array(id) x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT json_array(id) x FROM d)
SELECT json_object('k',+x) FROM (SELECT +json_array(id) x FROM d)
WITH c AS (SELECT json_array(id) x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT json_array(id) x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT json_array(id) x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +json_array(id) x FROM d)
WITH c AS (SELECT json_array(id) x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT json_array(id) x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT json_array(id) x FROM d)
SELECT json_array(json_array(id)), count(*) FROM d GROUP BY json_array(id) ORDER BY 1
SELECT json_array(max(json_array(id))) FROM d GROUP BY json_array(id) ORDER BY 1
SELECT json_group_array(json_array(id)) FROM d GROUP BY json_array(id) ORDER BY 1
SELECT json_array(json_array(id)) FROM d ORDER BY json_array(id) DESC
SELECT DISTINCT json_array(json_array(id)) FROM d
SELECT json_array(json_array(id)), rank() OVER () FROM d
SELECT json_group_array(json_array(id)) OVER () FROM d
SELECT json_array(max(json_array(id)) OVER ()) FROM d
SELECT json_array((SELECT json_array(id) FROM d LIMIT 1)), json_array((SELECT max(json_array(id)) FROM d)), json_array((SELECT json_group_array(json_array(id)) FROM d))

-- json_object: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(json_object('k',id)), json_object('k',json_object('k',id)), json_set('{}','$.a',json_object('k',id)), json_insert('{}','$.a',json_object('k',id)), json_replace('{"a":1}','$.a',json_object('k',id)), json_quote(json_object('k',id)), json(jsonb_array(json_object('k',id))), json(jsonb_object('k',json_object('k',id))), subtype(json_object('k',id)) FROM d
SELECT json_array(+(json_object('k',id))), json_object('k',+(json_object('k',id))), json_set('{}','$.a',+(json_object('k',id))), json_insert('{}','$.a',+(json_object('k',id))), json_replace('{"a":1}','$.a',+(json_object('k',id))), json_quote(+(json_object('k',id))), json(jsonb_array(+(json_object('k',id)))), json(jsonb_object('k',+(json_object('k',id)))), subtype(+(json_object('k',id))) FROM d
SELECT json_array(CAST(json_object('k',id) AS TEXT)), json_object('k',CAST(json_object('k',id) AS TEXT)), json_set('{}','$.a',CAST(json_object('k',id) AS TEXT)), json_insert('{}','$.a',CAST(json_object('k',id) AS TEXT)), json_replace('{"a":1}','$.a',CAST(json_object('k',id) AS TEXT)), json_quote(CAST(json_object('k',id) AS TEXT)), json(jsonb_array(CAST(json_object('k',id) AS TEXT))), json(jsonb_object('k',CAST(json_object('k',id) AS TEXT))), subtype(CAST(json_object('k',id) AS TEXT)) FROM d
SELECT json_array((json_object('k',id)) COLLATE nocase), json_object('k',(json_object('k',id)) COLLATE nocase), json_set('{}','$.a',(json_object('k',id)) COLLATE nocase), json_insert('{}','$.a',(json_object('k',id)) COLLATE nocase), json_replace('{"a":1}','$.a',(json_object('k',id)) COLLATE nocase), json_quote((json_object('k',id)) COLLATE nocase), json(jsonb_array((json_object('k',id)) COLLATE nocase)), json(jsonb_object('k',(json_object('k',id)) COLLATE nocase)), subtype((json_object('k',id)) COLLATE nocase) FROM d
SELECT json_array(nullif(json_object('k',id),1)), json_object('k',nullif(json_object('k',id),1)), json_set('{}','$.a',nullif(json_object('k',id),1)), json_insert('{}','$.a',nullif(json_object('k',id),1)), json_replace('{"a":1}','$.a',nullif(json_object('k',id),1)), json_quote(nullif(json_object('k',id),1)), json(jsonb_array(nullif(json_object('k',id),1))), json(jsonb_object('k',nullif(json_object('k',id),1))), subtype(nullif(json_object('k',id),1)) FROM d
SELECT json_array(max(json_object('k',id),'')), json_object('k',max(json_object('k',id),'')), json_set('{}','$.a',max(json_object('k',id),'')), json_insert('{}','$.a',max(json_object('k',id),'')), json_replace('{"a":1}','$.a',max(json_object('k',id),'')), json_quote(max(json_object('k',id),'')), json(jsonb_array(max(json_object('k',id),''))), json(jsonb_object('k',max(json_object('k',id),''))), subtype(max(json_object('k',id),'')) FROM d
SELECT json_array(min(json_object('k',id),'~')), json_object('k',min(json_object('k',id),'~')), json_set('{}','$.a',min(json_object('k',id),'~')), json_insert('{}','$.a',min(json_object('k',id),'~')), json_replace('{"a":1}','$.a',min(json_object('k',id),'~')), json_quote(min(json_object('k',id),'~')), json(jsonb_array(min(json_object('k',id),'~'))), json(jsonb_object('k',min(json_object('k',id),'~'))), subtype(min(json_object('k',id),'~')) FROM d
SELECT json_array(coalesce(json_object('k',id),1)), json_object('k',coalesce(json_object('k',id),1)), json_set('{}','$.a',coalesce(json_object('k',id),1)), json_insert('{}','$.a',coalesce(json_object('k',id),1)), json_replace('{"a":1}','$.a',coalesce(json_object('k',id),1)), json_quote(coalesce(json_object('k',id),1)), json(jsonb_array(coalesce(json_object('k',id),1))), json(jsonb_object('k',coalesce(json_object('k',id),1))), subtype(coalesce(json_object('k',id),1)) FROM d
SELECT json_array(ifnull(NULL,json_object('k',id))), json_object('k',ifnull(NULL,json_object('k',id))), json_set('{}','$.a',ifnull(NULL,json_object('k',id))), json_insert('{}','$.a',ifnull(NULL,json_object('k',id))), json_replace('{"a":1}','$.a',ifnull(NULL,json_object('k',id))), json_quote(ifnull(NULL,json_object('k',id))), json(jsonb_array(ifnull(NULL,json_object('k',id)))), json(jsonb_object('k',ifnull(NULL,json_object('k',id)))), subtype(ifnull(NULL,json_object('k',id))) FROM d
SELECT json_array(iif(1,json_object('k',id),'x')), json_object('k',iif(1,json_object('k',id),'x')), json_set('{}','$.a',iif(1,json_object('k',id),'x')), json_insert('{}','$.a',iif(1,json_object('k',id),'x')), json_replace('{"a":1}','$.a',iif(1,json_object('k',id),'x')), json_quote(iif(1,json_object('k',id),'x')), json(jsonb_array(iif(1,json_object('k',id),'x'))), json(jsonb_object('k',iif(1,json_object('k',id),'x'))), subtype(iif(1,json_object('k',id),'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END), json_quote(CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END)), subtype(CASE WHEN 1 THEN json_object('k',id) ELSE '[0]' END) FROM d
SELECT json_array((SELECT json_object('k',id))), json_object('k',(SELECT json_object('k',id))), json_set('{}','$.a',(SELECT json_object('k',id))), json_insert('{}','$.a',(SELECT json_object('k',id))), json_replace('{"a":1}','$.a',(SELECT json_object('k',id))), json_quote((SELECT json_object('k',id))), json(jsonb_array((SELECT json_object('k',id)))), json(jsonb_object('k',(SELECT json_object('k',id)))), subtype((SELECT json_object('k',id))) FROM d
SELECT json_array((SELECT +(json_object('k',id)))), json_object('k',(SELECT +(json_object('k',id)))), json_set('{}','$.a',(SELECT +(json_object('k',id)))), json_insert('{}','$.a',(SELECT +(json_object('k',id)))), json_replace('{"a":1}','$.a',(SELECT +(json_object('k',id)))), json_quote((SELECT +(json_object('k',id)))), json(jsonb_array((SELECT +(json_object('k',id))))), json(jsonb_object('k',(SELECT +(json_object('k',id))))), subtype((SELECT +(json_object('k',id)))) FROM d
SELECT json_array(upper(json_object('k',id))), json_object('k',upper(json_object('k',id))), json_set('{}','$.a',upper(json_object('k',id))), json_insert('{}','$.a',upper(json_object('k',id))), json_replace('{"a":1}','$.a',upper(json_object('k',id))), json_quote(upper(json_object('k',id))), json(jsonb_array(upper(json_object('k',id)))), json(jsonb_object('k',upper(json_object('k',id)))), subtype(upper(json_object('k',id))) FROM d
SELECT json_array(json_object('k',id)||''), json_object('k',json_object('k',id)||''), json_set('{}','$.a',json_object('k',id)||''), json_insert('{}','$.a',json_object('k',id)||''), json_replace('{"a":1}','$.a',json_object('k',id)||''), json_quote(json_object('k',id)||''), json(jsonb_array(json_object('k',id)||'')), json(jsonb_object('k',json_object('k',id)||'')), subtype(json_object('k',id)||'') FROM d
SELECT json_array(max(json_object('k',id))), json_array(min(json_object('k',id))), json_quote(max(+json_object('k',id))) FROM d
SELECT json_group_array(json_object('k',id)), json_group_object('k',json_object('k',id)), json(jsonb_group_array(json_object('k',id))) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT json_object('k',id) x FROM d)
SELECT json_array(x) FROM (SELECT json_object('k',id) x FROM d)
SELECT json_array(x) FROM (SELECT +json_object('k',id) x FROM d)
WITH c AS (SELECT json_object('k',id) x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT json_object('k',id) x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT json_object('k',id) x FROM d)
SELECT json_object('k',+x) FROM (SELECT +json_object('k',id) x FROM d)
WITH c AS (SELECT json_object('k',id) x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT json_object('k',id) x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT json_object('k',id) x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +json_object('k',id) x FROM d)
WITH c AS (SELECT json_object('k',id) x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT json_object('k',id) x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT json_object('k',id) x FROM d)
SELECT json_array(json_object('k',id)), count(*) FROM d GROUP BY json_object('k',id) ORDER BY 1
SELECT json_array(max(json_object('k',id))) FROM d GROUP BY json_object('k',id) ORDER BY 1
SELECT json_group_array(json_object('k',id)) FROM d GROUP BY json_object('k',id) ORDER BY 1
SELECT json_array(json_object('k',id)) FROM d ORDER BY json_object('k',id) DESC
SELECT DISTINCT json_array(json_object('k',id)) FROM d
SELECT json_array(json_object('k',id)), rank() OVER () FROM d
SELECT json_group_array(json_object('k',id)) OVER () FROM d
SELECT json_array(max(json_object('k',id)) OVER ()) FROM d
SELECT json_array((SELECT json_object('k',id) FROM d LIMIT 1)), json_array((SELECT max(json_object('k',id)) FROM d)), json_array((SELECT json_group_array(json_object('k',id)) FROM d))

-- json_set: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(json_set(j,'$.c',1)), json_object('k',json_set(j,'$.c',1)), json_set('{}','$.a',json_set(j,'$.c',1)), json_insert('{}','$.a',json_set(j,'$.c',1)), json_replace('{"a":1}','$.a',json_set(j,'$.c',1)), json_quote(json_set(j,'$.c',1)), json(jsonb_array(json_set(j,'$.c',1))), json(jsonb_object('k',json_set(j,'$.c',1))), subtype(json_set(j,'$.c',1)) FROM d
SELECT json_array(+(json_set(j,'$.c',1))), json_object('k',+(json_set(j,'$.c',1))), json_set('{}','$.a',+(json_set(j,'$.c',1))), json_insert('{}','$.a',+(json_set(j,'$.c',1))), json_replace('{"a":1}','$.a',+(json_set(j,'$.c',1))), json_quote(+(json_set(j,'$.c',1))), json(jsonb_array(+(json_set(j,'$.c',1)))), json(jsonb_object('k',+(json_set(j,'$.c',1)))), subtype(+(json_set(j,'$.c',1))) FROM d
SELECT json_array(CAST(json_set(j,'$.c',1) AS TEXT)), json_object('k',CAST(json_set(j,'$.c',1) AS TEXT)), json_set('{}','$.a',CAST(json_set(j,'$.c',1) AS TEXT)), json_insert('{}','$.a',CAST(json_set(j,'$.c',1) AS TEXT)), json_replace('{"a":1}','$.a',CAST(json_set(j,'$.c',1) AS TEXT)), json_quote(CAST(json_set(j,'$.c',1) AS TEXT)), json(jsonb_array(CAST(json_set(j,'$.c',1) AS TEXT))), json(jsonb_object('k',CAST(json_set(j,'$.c',1) AS TEXT))), subtype(CAST(json_set(j,'$.c',1) AS TEXT)) FROM d
SELECT json_array((json_set(j,'$.c',1)) COLLATE nocase), json_object('k',(json_set(j,'$.c',1)) COLLATE nocase), json_set('{}','$.a',(json_set(j,'$.c',1)) COLLATE nocase), json_insert('{}','$.a',(json_set(j,'$.c',1)) COLLATE nocase), json_replace('{"a":1}','$.a',(json_set(j,'$.c',1)) COLLATE nocase), json_quote((json_set(j,'$.c',1)) COLLATE nocase), json(jsonb_array((json_set(j,'$.c',1)) COLLATE nocase)), json(jsonb_object('k',(json_set(j,'$.c',1)) COLLATE nocase)), subtype((json_set(j,'$.c',1)) COLLATE nocase) FROM d
SELECT json_array(nullif(json_set(j,'$.c',1),1)), json_object('k',nullif(json_set(j,'$.c',1),1)), json_set('{}','$.a',nullif(json_set(j,'$.c',1),1)), json_insert('{}','$.a',nullif(json_set(j,'$.c',1),1)), json_replace('{"a":1}','$.a',nullif(json_set(j,'$.c',1),1)), json_quote(nullif(json_set(j,'$.c',1),1)), json(jsonb_array(nullif(json_set(j,'$.c',1),1))), json(jsonb_object('k',nullif(json_set(j,'$.c',1),1))), subtype(nullif(json_set(j,'$.c',1),1)) FROM d
SELECT json_array(max(json_set(j,'$.c',1),'')), json_object('k',max(json_set(j,'$.c',1),'')), json_set('{}','$.a',max(json_set(j,'$.c',1),'')), json_insert('{}','$.a',max(json_set(j,'$.c',1),'')), json_replace('{"a":1}','$.a',max(json_set(j,'$.c',1),'')), json_quote(max(json_set(j,'$.c',1),'')), json(jsonb_array(max(json_set(j,'$.c',1),''))), json(jsonb_object('k',max(json_set(j,'$.c',1),''))), subtype(max(json_set(j,'$.c',1),'')) FROM d
SELECT json_array(min(json_set(j,'$.c',1),'~')), json_object('k',min(json_set(j,'$.c',1),'~')), json_set('{}','$.a',min(json_set(j,'$.c',1),'~')), json_insert('{}','$.a',min(json_set(j,'$.c',1),'~')), json_replace('{"a":1}','$.a',min(json_set(j,'$.c',1),'~')), json_quote(min(json_set(j,'$.c',1),'~')), json(jsonb_array(min(json_set(j,'$.c',1),'~'))), json(jsonb_object('k',min(json_set(j,'$.c',1),'~'))), subtype(min(json_set(j,'$.c',1),'~')) FROM d
SELECT json_array(coalesce(json_set(j,'$.c',1),1)), json_object('k',coalesce(json_set(j,'$.c',1),1)), json_set('{}','$.a',coalesce(json_set(j,'$.c',1),1)), json_insert('{}','$.a',coalesce(json_set(j,'$.c',1),1)), json_replace('{"a":1}','$.a',coalesce(json_set(j,'$.c',1),1)), json_quote(coalesce(json_set(j,'$.c',1),1)), json(jsonb_array(coalesce(json_set(j,'$.c',1),1))), json(jsonb_object('k',coalesce(json_set(j,'$.c',1),1))), subtype(coalesce(json_set(j,'$.c',1),1)) FROM d
SELECT json_array(ifnull(NULL,json_set(j,'$.c',1))), json_object('k',ifnull(NULL,json_set(j,'$.c',1))), json_set('{}','$.a',ifnull(NULL,json_set(j,'$.c',1))), json_insert('{}','$.a',ifnull(NULL,json_set(j,'$.c',1))), json_replace('{"a":1}','$.a',ifnull(NULL,json_set(j,'$.c',1))), json_quote(ifnull(NULL,json_set(j,'$.c',1))), json(jsonb_array(ifnull(NULL,json_set(j,'$.c',1)))), json(jsonb_object('k',ifnull(NULL,json_set(j,'$.c',1)))), subtype(ifnull(NULL,json_set(j,'$.c',1))) FROM d
SELECT json_array(iif(1,json_set(j,'$.c',1),'x')), json_object('k',iif(1,json_set(j,'$.c',1),'x')), json_set('{}','$.a',iif(1,json_set(j,'$.c',1),'x')), json_insert('{}','$.a',iif(1,json_set(j,'$.c',1),'x')), json_replace('{"a":1}','$.a',iif(1,json_set(j,'$.c',1),'x')), json_quote(iif(1,json_set(j,'$.c',1),'x')), json(jsonb_array(iif(1,json_set(j,'$.c',1),'x'))), json(jsonb_object('k',iif(1,json_set(j,'$.c',1),'x'))), subtype(iif(1,json_set(j,'$.c',1),'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END), json_quote(CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END)), subtype(CASE WHEN 1 THEN json_set(j,'$.c',1) ELSE '[0]' END) FROM d
SELECT json_array((SELECT json_set(j,'$.c',1))), json_object('k',(SELECT json_set(j,'$.c',1))), json_set('{}','$.a',(SELECT json_set(j,'$.c',1))), json_insert('{}','$.a',(SELECT json_set(j,'$.c',1))), json_replace('{"a":1}','$.a',(SELECT json_set(j,'$.c',1))), json_quote((SELECT json_set(j,'$.c',1))), json(jsonb_array((SELECT json_set(j,'$.c',1)))), json(jsonb_object('k',(SELECT json_set(j,'$.c',1)))), subtype((SELECT json_set(j,'$.c',1))) FROM d
SELECT json_array((SELECT +(json_set(j,'$.c',1)))), json_object('k',(SELECT +(json_set(j,'$.c',1)))), json_set('{}','$.a',(SELECT +(json_set(j,'$.c',1)))), json_insert('{}','$.a',(SELECT +(json_set(j,'$.c',1)))), json_replace('{"a":1}','$.a',(SELECT +(json_set(j,'$.c',1)))), json_quote((SELECT +(json_set(j,'$.c',1)))), json(jsonb_array((SELECT +(json_set(j,'$.c',1))))), json(jsonb_object('k',(SELECT +(json_set(j,'$.c',1))))), subtype((SELECT +(json_set(j,'$.c',1)))) FROM d
SELECT json_array(upper(json_set(j,'$.c',1))), json_object('k',upper(json_set(j,'$.c',1))), json_set('{}','$.a',upper(json_set(j,'$.c',1))), json_insert('{}','$.a',upper(json_set(j,'$.c',1))), json_replace('{"a":1}','$.a',upper(json_set(j,'$.c',1))), json_quote(upper(json_set(j,'$.c',1))), json(jsonb_array(upper(json_set(j,'$.c',1)))), json(jsonb_object('k',upper(json_set(j,'$.c',1)))), subtype(upper(json_set(j,'$.c',1))) FROM d
SELECT json_array(json_set(j,'$.c',1)||''), json_object('k',json_set(j,'$.c',1)||''), json_set('{}','$.a',json_set(j,'$.c',1)||''), json_insert('{}','$.a',json_set(j,'$.c',1)||''), json_replace('{"a":1}','$.a',json_set(j,'$.c',1)||''), json_quote(json_set(j,'$.c',1)||''), json(jsonb_array(json_set(j,'$.c',1)||'')), json(jsonb_object('k',json_set(j,'$.c',1)||'')), subtype(json_set(j,'$.c',1)||'') FROM d
SELECT json_array(max(json_set(j,'$.c',1))), json_array(min(json_set(j,'$.c',1))), json_quote(max(+json_set(j,'$.c',1))) FROM d
SELECT json_group_array(json_set(j,'$.c',1)), json_group_object('k',json_set(j,'$.c',1)), json(jsonb_group_array(json_set(j,'$.c',1))) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT json_set(j,'$.c',1) x FROM d)
SELECT json_array(x) FROM (SELECT json_set(j,'$.c',1) x FROM d)
SELECT json_array(x) FROM (SELECT +json_set(j,'$.c',1) x FROM d)
WITH c AS (SELECT json_set(j,'$.c',1) x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT json_set(j,'$.c',1) x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT json_set(j,'$.c',1) x FROM d)
SELECT json_object('k',+x) FROM (SELECT +json_set(j,'$.c',1) x FROM d)
WITH c AS (SELECT json_set(j,'$.c',1) x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT json_set(j,'$.c',1) x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT json_set(j,'$.c',1) x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +json_set(j,'$.c',1) x FROM d)
WITH c AS (SELECT json_set(j,'$.c',1) x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT json_set(j,'$.c',1) x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT json_set(j,'$.c',1) x FROM d)
SELECT json_array(json_set(j,'$.c',1)), count(*) FROM d GROUP BY json_set(j,'$.c',1) ORDER BY 1
SELECT json_array(max(json_set(j,'$.c',1))) FROM d GROUP BY json_set(j,'$.c',1) ORDER BY 1
SELECT json_group_array(json_set(j,'$.c',1)) FROM d GROUP BY json_set(j,'$.c',1) ORDER BY 1
SELECT json_array(json_set(j,'$.c',1)) FROM d ORDER BY json_set(j,'$.c',1) DESC
SELECT DISTINCT json_array(json_set(j,'$.c',1)) FROM d
SELECT json_array(json_set(j,'$.c',1)), rank() OVER () FROM d
SELECT json_group_array(json_set(j,'$.c',1)) OVER () FROM d
SELECT json_array(max(json_set(j,'$.c',1)) OVER ()) FROM d
SELECT json_array((SELECT json_set(j,'$.c',1) FROM d LIMIT 1)), json_array((SELECT max(json_set(j,'$.c',1)) FROM d)), json_array((SELECT json_group_array(json_set(j,'$.c',1)) FROM d))

-- a generated column: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(v), json_object('k',v), json_set('{}','$.a',v), json_insert('{}','$.a',v), json_replace('{"a":1}','$.a',v), json_quote(v), json(jsonb_array(v)), json(jsonb_object('k',v)), subtype(v) FROM d
SELECT json_array(+(v)), json_object('k',+(v)), json_set('{}','$.a',+(v)), json_insert('{}','$.a',+(v)), json_replace('{"a":1}','$.a',+(v)), json_quote(+(v)), json(jsonb_array(+(v))), json(jsonb_object('k',+(v))), subtype(+(v)) FROM d
SELECT json_array(CAST(v AS TEXT)), json_object('k',CAST(v AS TEXT)), json_set('{}','$.a',CAST(v AS TEXT)), json_insert('{}','$.a',CAST(v AS TEXT)), json_replace('{"a":1}','$.a',CAST(v AS TEXT)), json_quote(CAST(v AS TEXT)), json(jsonb_array(CAST(v AS TEXT))), json(jsonb_object('k',CAST(v AS TEXT))), subtype(CAST(v AS TEXT)) FROM d
SELECT json_array((v) COLLATE nocase), json_object('k',(v) COLLATE nocase), json_set('{}','$.a',(v) COLLATE nocase), json_insert('{}','$.a',(v) COLLATE nocase), json_replace('{"a":1}','$.a',(v) COLLATE nocase), json_quote((v) COLLATE nocase), json(jsonb_array((v) COLLATE nocase)), json(jsonb_object('k',(v) COLLATE nocase)), subtype((v) COLLATE nocase) FROM d
SELECT json_array(nullif(v,1)), json_object('k',nullif(v,1)), json_set('{}','$.a',nullif(v,1)), json_insert('{}','$.a',nullif(v,1)), json_replace('{"a":1}','$.a',nullif(v,1)), json_quote(nullif(v,1)), json(jsonb_array(nullif(v,1))), json(jsonb_object('k',nullif(v,1))), subtype(nullif(v,1)) FROM d
SELECT json_array(max(v,'')), json_object('k',max(v,'')), json_set('{}','$.a',max(v,'')), json_insert('{}','$.a',max(v,'')), json_replace('{"a":1}','$.a',max(v,'')), json_quote(max(v,'')), json(jsonb_array(max(v,''))), json(jsonb_object('k',max(v,''))), subtype(max(v,'')) FROM d
SELECT json_array(min(v,'~')), json_object('k',min(v,'~')), json_set('{}','$.a',min(v,'~')), json_insert('{}','$.a',min(v,'~')), json_replace('{"a":1}','$.a',min(v,'~')), json_quote(min(v,'~')), json(jsonb_array(min(v,'~'))), json(jsonb_object('k',min(v,'~'))), subtype(min(v,'~')) FROM d
SELECT json_array(coalesce(v,1)), json_object('k',coalesce(v,1)), json_set('{}','$.a',coalesce(v,1)), json_insert('{}','$.a',coalesce(v,1)), json_replace('{"a":1}','$.a',coalesce(v,1)), json_quote(coalesce(v,1)), json(jsonb_array(coalesce(v,1))), json(jsonb_object('k',coalesce(v,1))), subtype(coalesce(v,1)) FROM d
SELECT json_array(ifnull(NULL,v)), json_object('k',ifnull(NULL,v)), json_set('{}','$.a',ifnull(NULL,v)), json_insert('{}','$.a',ifnull(NULL,v)), json_replace('{"a":1}','$.a',ifnull(NULL,v)), json_quote(ifnull(NULL,v)), json(jsonb_array(ifnull(NULL,v))), json(jsonb_object('k',ifnull(NULL,v))), subtype(ifnull(NULL,v)) FROM d
SELECT json_array(iif(1,v,'x')), json_object('k',iif(1,v,'x')), json_set('{}','$.a',iif(1,v,'x')), json_insert('{}','$.a',iif(1,v,'x')), json_replace('{"a":1}','$.a',iif(1,v,'x')), json_quote(iif(1,v,'x')), json(jsonb_array(iif(1,v,'x'))), json(jsonb_object('k',iif(1,v,'x'))), subtype(iif(1,v,'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN v ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN v ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN v ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN v ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN v ELSE '[0]' END), json_quote(CASE WHEN 1 THEN v ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN v ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN v ELSE '[0]' END)), subtype(CASE WHEN 1 THEN v ELSE '[0]' END) FROM d
SELECT json_array((SELECT v)), json_object('k',(SELECT v)), json_set('{}','$.a',(SELECT v)), json_insert('{}','$.a',(SELECT v)), json_replace('{"a":1}','$.a',(SELECT v)), json_quote((SELECT v)), json(jsonb_array((SELECT v))), json(jsonb_object('k',(SELECT v))), subtype((SELECT v)) FROM d
SELECT json_array((SELECT +(v))), json_object('k',(SELECT +(v))), json_set('{}','$.a',(SELECT +(v))), json_insert('{}','$.a',(SELECT +(v))), json_replace('{"a":1}','$.a',(SELECT +(v))), json_quote((SELECT +(v))), json(jsonb_array((SELECT +(v)))), json(jsonb_object('k',(SELECT +(v)))), subtype((SELECT +(v))) FROM d
SELECT json_array(upper(v)), json_object('k',upper(v)), json_set('{}','$.a',upper(v)), json_insert('{}','$.a',upper(v)), json_replace('{"a":1}','$.a',upper(v)), json_quote(upper(v)), json(jsonb_array(upper(v))), json(jsonb_object('k',upper(v))), subtype(upper(v)) FROM d
SELECT json_array(v||''), json_object('k',v||''), json_set('{}','$.a',v||''), json_insert('{}','$.a',v||''), json_replace('{"a":1}','$.a',v||''), json_quote(v||''), json(jsonb_array(v||'')), json(jsonb_object('k',v||'')), subtype(v||'') FROM d
SELECT json_array(max(v)), json_array(min(v)), json_quote(max(+v)) FROM d
SELECT json_group_array(v), json_group_object('k',v), json(jsonb_group_array(v)) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT v x FROM d)
SELECT json_array(x) FROM (SELECT v x FROM d)
SELECT json_array(x) FROM (SELECT +v x FROM d)
WITH c AS (SELECT v x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT v x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT v x FROM d)
SELECT json_object('k',+x) FROM (SELECT +v x FROM d)
WITH c AS (SELECT v x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT v x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT v x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +v x FROM d)
WITH c AS (SELECT v x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT v x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT v x FROM d)
SELECT json_array(v), count(*) FROM d GROUP BY v ORDER BY 1
SELECT json_array(v) FROM d ORDER BY v DESC
SELECT DISTINCT json_array(v) FROM d
SELECT json_array(v), rank() OVER () FROM d
SELECT json_group_array(v) OVER () FROM d
SELECT json_array(max(v) OVER ()) FROM d
SELECT json_array((SELECT v FROM d LIMIT 1)), json_array((SELECT max(v) FROM d)), json_array((SELECT json_group_array(v) FROM d))

-- a stored column: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(s), json_object('k',s), json_set('{}','$.a',s), json_insert('{}','$.a',s), json_replace('{"a":1}','$.a',s), json_quote(s), json(jsonb_array(s)), json(jsonb_object('k',s)), subtype(s) FROM d
SELECT json_array(+(s)), json_object('k',+(s)), json_set('{}','$.a',+(s)), json_insert('{}','$.a',+(s)), json_replace('{"a":1}','$.a',+(s)), json_quote(+(s)), json(jsonb_array(+(s))), json(jsonb_object('k',+(s))), subtype(+(s)) FROM d
SELECT json_array(CAST(s AS TEXT)), json_object('k',CAST(s AS TEXT)), json_set('{}','$.a',CAST(s AS TEXT)), json_insert('{}','$.a',CAST(s AS TEXT)), json_replace('{"a":1}','$.a',CAST(s AS TEXT)), json_quote(CAST(s AS TEXT)), json(jsonb_array(CAST(s AS TEXT))), json(jsonb_object('k',CAST(s AS TEXT))), subtype(CAST(s AS TEXT)) FROM d
SELECT json_array((s) COLLATE nocase), json_object('k',(s) COLLATE nocase), json_set('{}','$.a',(s) COLLATE nocase), json_insert('{}','$.a',(s) COLLATE nocase), json_replace('{"a":1}','$.a',(s) COLLATE nocase), json_quote((s) COLLATE nocase), json(jsonb_array((s) COLLATE nocase)), json(jsonb_object('k',(s) COLLATE nocase)), subtype((s) COLLATE nocase) FROM d
SELECT json_array(nullif(s,1)), json_object('k',nullif(s,1)), json_set('{}','$.a',nullif(s,1)), json_insert('{}','$.a',nullif(s,1)), json_replace('{"a":1}','$.a',nullif(s,1)), json_quote(nullif(s,1)), json(jsonb_array(nullif(s,1))), json(jsonb_object('k',nullif(s,1))), subtype(nullif(s,1)) FROM d
SELECT json_array(max(s,'')), json_object('k',max(s,'')), json_set('{}','$.a',max(s,'')), json_insert('{}','$.a',max(s,'')), json_replace('{"a":1}','$.a',max(s,'')), json_quote(max(s,'')), json(jsonb_array(max(s,''))), json(jsonb_object('k',max(s,''))), subtype(max(s,'')) FROM d
SELECT json_array(min(s,'~')), json_object('k',min(s,'~')), json_set('{}','$.a',min(s,'~')), json_insert('{}','$.a',min(s,'~')), json_replace('{"a":1}','$.a',min(s,'~')), json_quote(min(s,'~')), json(jsonb_array(min(s,'~'))), json(jsonb_object('k',min(s,'~'))), subtype(min(s,'~')) FROM d
SELECT json_array(coalesce(s,1)), json_object('k',coalesce(s,1)), json_set('{}','$.a',coalesce(s,1)), json_insert('{}','$.a',coalesce(s,1)), json_replace('{"a":1}','$.a',coalesce(s,1)), json_quote(coalesce(s,1)), json(jsonb_array(coalesce(s,1))), json(jsonb_object('k',coalesce(s,1))), subtype(coalesce(s,1)) FROM d
SELECT json_array(ifnull(NULL,s)), json_object('k',ifnull(NULL,s)), json_set('{}','$.a',ifnull(NULL,s)), json_insert('{}','$.a',ifnull(NULL,s)), json_replace('{"a":1}','$.a',ifnull(NULL,s)), json_quote(ifnull(NULL,s)), json(jsonb_array(ifnull(NULL,s))), json(jsonb_object('k',ifnull(NULL,s))), subtype(ifnull(NULL,s)) FROM d
SELECT json_array(iif(1,s,'x')), json_object('k',iif(1,s,'x')), json_set('{}','$.a',iif(1,s,'x')), json_insert('{}','$.a',iif(1,s,'x')), json_replace('{"a":1}','$.a',iif(1,s,'x')), json_quote(iif(1,s,'x')), json(jsonb_array(iif(1,s,'x'))), json(jsonb_object('k',iif(1,s,'x'))), subtype(iif(1,s,'x')) FROM d
SELECT json_array(CASE WHEN 1 THEN s ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN s ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN s ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN s ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN s ELSE '[0]' END), json_quote(CASE WHEN 1 THEN s ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN s ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN s ELSE '[0]' END)), subtype(CASE WHEN 1 THEN s ELSE '[0]' END) FROM d
SELECT json_array((SELECT s)), json_object('k',(SELECT s)), json_set('{}','$.a',(SELECT s)), json_insert('{}','$.a',(SELECT s)), json_replace('{"a":1}','$.a',(SELECT s)), json_quote((SELECT s)), json(jsonb_array((SELECT s))), json(jsonb_object('k',(SELECT s))), subtype((SELECT s)) FROM d
SELECT json_array((SELECT +(s))), json_object('k',(SELECT +(s))), json_set('{}','$.a',(SELECT +(s))), json_insert('{}','$.a',(SELECT +(s))), json_replace('{"a":1}','$.a',(SELECT +(s))), json_quote((SELECT +(s))), json(jsonb_array((SELECT +(s)))), json(jsonb_object('k',(SELECT +(s)))), subtype((SELECT +(s))) FROM d
SELECT json_array(upper(s)), json_object('k',upper(s)), json_set('{}','$.a',upper(s)), json_insert('{}','$.a',upper(s)), json_replace('{"a":1}','$.a',upper(s)), json_quote(upper(s)), json(jsonb_array(upper(s))), json(jsonb_object('k',upper(s))), subtype(upper(s)) FROM d
SELECT json_array(s||''), json_object('k',s||''), json_set('{}','$.a',s||''), json_insert('{}','$.a',s||''), json_replace('{"a":1}','$.a',s||''), json_quote(s||''), json(jsonb_array(s||'')), json(jsonb_object('k',s||'')), subtype(s||'') FROM d
SELECT json_array(max(s)), json_array(min(s)), json_quote(max(+s)) FROM d
SELECT json_group_array(s), json_group_object('k',s), json(jsonb_group_array(s)) FROM d
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT s x FROM d)
SELECT json_array(x) FROM (SELECT s x FROM d)
SELECT json_array(x) FROM (SELECT +s x FROM d)
WITH c AS (SELECT s x FROM d) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT s x FROM d) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT s x FROM d)
SELECT json_object('k',+x) FROM (SELECT +s x FROM d)
WITH c AS (SELECT s x FROM d) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT s x FROM d) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT s x FROM d)
SELECT json_quote(max(x,'')) FROM (SELECT +s x FROM d)
WITH c AS (SELECT s x FROM d) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT s x FROM d) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT s x FROM d)
SELECT json_array(s), count(*) FROM d GROUP BY s ORDER BY 1
SELECT json_array(max(s)) FROM d GROUP BY s ORDER BY 1
SELECT json_group_array(s) FROM d GROUP BY s ORDER BY 1
SELECT json_array(s) FROM d ORDER BY s DESC
SELECT DISTINCT json_array(s) FROM d
SELECT json_array(s), rank() OVER () FROM d
SELECT json_group_array(s) OVER () FROM d
SELECT json_array(max(s) OVER ()) FROM d
SELECT json_array((SELECT s FROM d LIMIT 1)), json_array((SELECT max(s) FROM d)), json_array((SELECT json_group_array(s) FROM d))

-- json_each: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(value), json_object('k',value), json_set('{}','$.a',value), json_insert('{}','$.a',value), json_replace('{"a":1}','$.a',value), json_quote(value), json(jsonb_array(value)), json(jsonb_object('k',value)), subtype(value) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(+(value)), json_object('k',+(value)), json_set('{}','$.a',+(value)), json_insert('{}','$.a',+(value)), json_replace('{"a":1}','$.a',+(value)), json_quote(+(value)), json(jsonb_array(+(value))), json(jsonb_object('k',+(value))), subtype(+(value)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(CAST(value AS TEXT)), json_object('k',CAST(value AS TEXT)), json_set('{}','$.a',CAST(value AS TEXT)), json_insert('{}','$.a',CAST(value AS TEXT)), json_replace('{"a":1}','$.a',CAST(value AS TEXT)), json_quote(CAST(value AS TEXT)), json(jsonb_array(CAST(value AS TEXT))), json(jsonb_object('k',CAST(value AS TEXT))), subtype(CAST(value AS TEXT)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array((value) COLLATE nocase), json_object('k',(value) COLLATE nocase), json_set('{}','$.a',(value) COLLATE nocase), json_insert('{}','$.a',(value) COLLATE nocase), json_replace('{"a":1}','$.a',(value) COLLATE nocase), json_quote((value) COLLATE nocase), json(jsonb_array((value) COLLATE nocase)), json(jsonb_object('k',(value) COLLATE nocase)), subtype((value) COLLATE nocase) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(nullif(value,1)), json_object('k',nullif(value,1)), json_set('{}','$.a',nullif(value,1)), json_insert('{}','$.a',nullif(value,1)), json_replace('{"a":1}','$.a',nullif(value,1)), json_quote(nullif(value,1)), json(jsonb_array(nullif(value,1))), json(jsonb_object('k',nullif(value,1))), subtype(nullif(value,1)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(max(value,'')), json_object('k',max(value,'')), json_set('{}','$.a',max(value,'')), json_insert('{}','$.a',max(value,'')), json_replace('{"a":1}','$.a',max(value,'')), json_quote(max(value,'')), json(jsonb_array(max(value,''))), json(jsonb_object('k',max(value,''))), subtype(max(value,'')) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(min(value,'~')), json_object('k',min(value,'~')), json_set('{}','$.a',min(value,'~')), json_insert('{}','$.a',min(value,'~')), json_replace('{"a":1}','$.a',min(value,'~')), json_quote(min(value,'~')), json(jsonb_array(min(value,'~'))), json(jsonb_object('k',min(value,'~'))), subtype(min(value,'~')) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(coalesce(value,1)), json_object('k',coalesce(value,1)), json_set('{}','$.a',coalesce(value,1)), json_insert('{}','$.a',coalesce(value,1)), json_replace('{"a":1}','$.a',coalesce(value,1)), json_quote(coalesce(value,1)), json(jsonb_array(coalesce(value,1))), json(jsonb_object('k',coalesce(value,1))), subtype(coalesce(value,1)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(ifnull(NULL,value)), json_object('k',ifnull(NULL,value)), json_set('{}','$.a',ifnull(NULL,value)), json_insert('{}','$.a',ifnull(NULL,value)), json_replace('{"a":1}','$.a',ifnull(NULL,value)), json_quote(ifnull(NULL,value)), json(jsonb_array(ifnull(NULL,value))), json(jsonb_object('k',ifnull(NULL,value))), subtype(ifnull(NULL,value)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(iif(1,value,'x')), json_object('k',iif(1,value,'x')), json_set('{}','$.a',iif(1,value,'x')), json_insert('{}','$.a',iif(1,value,'x')), json_replace('{"a":1}','$.a',iif(1,value,'x')), json_quote(iif(1,value,'x')), json(jsonb_array(iif(1,value,'x'))), json(jsonb_object('k',iif(1,value,'x'))), subtype(iif(1,value,'x')) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(CASE WHEN 1 THEN value ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN value ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN value ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN value ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN value ELSE '[0]' END), json_quote(CASE WHEN 1 THEN value ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN value ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN value ELSE '[0]' END)), subtype(CASE WHEN 1 THEN value ELSE '[0]' END) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array((SELECT value)), json_object('k',(SELECT value)), json_set('{}','$.a',(SELECT value)), json_insert('{}','$.a',(SELECT value)), json_replace('{"a":1}','$.a',(SELECT value)), json_quote((SELECT value)), json(jsonb_array((SELECT value))), json(jsonb_object('k',(SELECT value))), subtype((SELECT value)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array((SELECT +(value))), json_object('k',(SELECT +(value))), json_set('{}','$.a',(SELECT +(value))), json_insert('{}','$.a',(SELECT +(value))), json_replace('{"a":1}','$.a',(SELECT +(value))), json_quote((SELECT +(value))), json(jsonb_array((SELECT +(value)))), json(jsonb_object('k',(SELECT +(value)))), subtype((SELECT +(value))) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(upper(value)), json_object('k',upper(value)), json_set('{}','$.a',upper(value)), json_insert('{}','$.a',upper(value)), json_replace('{"a":1}','$.a',upper(value)), json_quote(upper(value)), json(jsonb_array(upper(value))), json(jsonb_object('k',upper(value))), subtype(upper(value)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(value||''), json_object('k',value||''), json_set('{}','$.a',value||''), json_insert('{}','$.a',value||''), json_replace('{"a":1}','$.a',value||''), json_quote(value||''), json(jsonb_array(value||'')), json(jsonb_object('k',value||'')), subtype(value||'') FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(max(value)), json_array(min(value)), json_quote(max(+value)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_group_array(value), json_group_object('k',value), json(jsonb_group_array(value)) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]'))
SELECT json_array(x) FROM (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]'))
SELECT json_array(x) FROM (SELECT +value x FROM json_each('[[1],"[1]",{"a":2},3]'))
WITH c AS (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]')) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]')) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]'))
SELECT json_object('k',+x) FROM (SELECT +value x FROM json_each('[[1],"[1]",{"a":2},3]'))
WITH c AS (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]')) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]')) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]'))
SELECT json_quote(max(x,'')) FROM (SELECT +value x FROM json_each('[[1],"[1]",{"a":2},3]'))
WITH c AS (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]')) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT value x FROM json_each('[[1],"[1]",{"a":2},3]')) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT value x FROM json_each('[[1],"[1]",{"a":2},3]'))
SELECT json_array(value), count(*) FROM json_each('[[1],"[1]",{"a":2},3]') GROUP BY value ORDER BY 1
SELECT json_array(value) FROM json_each('[[1],"[1]",{"a":2},3]') ORDER BY value DESC
SELECT DISTINCT json_array(value) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(value), rank() OVER () FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_group_array(value) OVER () FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array(max(value) OVER ()) FROM json_each('[[1],"[1]",{"a":2},3]')
SELECT json_array((SELECT value FROM json_each('[[1],"[1]",{"a":2},3]') LIMIT 1)), json_array((SELECT max(value) FROM json_each('[[1],"[1]",{"a":2},3]'))), json_array((SELECT json_group_array(value) FROM json_each('[[1],"[1]",{"a":2},3]')))

-- json_tree: JSON or a text
CREATE TABLE d(id INTEGER PRIMARY KEY, j TEXT, v TEXT AS (j->'a') VIRTUAL, s TEXT AS (j->'a') STORED)
INSERT INTO d(j) VALUES('{"a":[1],"b":"[1]"}'),('{"a":{"q":1},"b":"y"}')
SELECT json_array(value), json_object('k',value), json_set('{}','$.a',value), json_insert('{}','$.a',value), json_replace('{"a":1}','$.a',value), json_quote(value), json(jsonb_array(value)), json(jsonb_object('k',value)), subtype(value) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(+(value)), json_object('k',+(value)), json_set('{}','$.a',+(value)), json_insert('{}','$.a',+(value)), json_replace('{"a":1}','$.a',+(value)), json_quote(+(value)), json(jsonb_array(+(value))), json(jsonb_object('k',+(value))), subtype(+(value)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(CAST(value AS TEXT)), json_object('k',CAST(value AS TEXT)), json_set('{}','$.a',CAST(value AS TEXT)), json_insert('{}','$.a',CAST(value AS TEXT)), json_replace('{"a":1}','$.a',CAST(value AS TEXT)), json_quote(CAST(value AS TEXT)), json(jsonb_array(CAST(value AS TEXT))), json(jsonb_object('k',CAST(value AS TEXT))), subtype(CAST(value AS TEXT)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array((value) COLLATE nocase), json_object('k',(value) COLLATE nocase), json_set('{}','$.a',(value) COLLATE nocase), json_insert('{}','$.a',(value) COLLATE nocase), json_replace('{"a":1}','$.a',(value) COLLATE nocase), json_quote((value) COLLATE nocase), json(jsonb_array((value) COLLATE nocase)), json(jsonb_object('k',(value) COLLATE nocase)), subtype((value) COLLATE nocase) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(nullif(value,1)), json_object('k',nullif(value,1)), json_set('{}','$.a',nullif(value,1)), json_insert('{}','$.a',nullif(value,1)), json_replace('{"a":1}','$.a',nullif(value,1)), json_quote(nullif(value,1)), json(jsonb_array(nullif(value,1))), json(jsonb_object('k',nullif(value,1))), subtype(nullif(value,1)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(max(value,'')), json_object('k',max(value,'')), json_set('{}','$.a',max(value,'')), json_insert('{}','$.a',max(value,'')), json_replace('{"a":1}','$.a',max(value,'')), json_quote(max(value,'')), json(jsonb_array(max(value,''))), json(jsonb_object('k',max(value,''))), subtype(max(value,'')) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(min(value,'~')), json_object('k',min(value,'~')), json_set('{}','$.a',min(value,'~')), json_insert('{}','$.a',min(value,'~')), json_replace('{"a":1}','$.a',min(value,'~')), json_quote(min(value,'~')), json(jsonb_array(min(value,'~'))), json(jsonb_object('k',min(value,'~'))), subtype(min(value,'~')) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(coalesce(value,1)), json_object('k',coalesce(value,1)), json_set('{}','$.a',coalesce(value,1)), json_insert('{}','$.a',coalesce(value,1)), json_replace('{"a":1}','$.a',coalesce(value,1)), json_quote(coalesce(value,1)), json(jsonb_array(coalesce(value,1))), json(jsonb_object('k',coalesce(value,1))), subtype(coalesce(value,1)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(ifnull(NULL,value)), json_object('k',ifnull(NULL,value)), json_set('{}','$.a',ifnull(NULL,value)), json_insert('{}','$.a',ifnull(NULL,value)), json_replace('{"a":1}','$.a',ifnull(NULL,value)), json_quote(ifnull(NULL,value)), json(jsonb_array(ifnull(NULL,value))), json(jsonb_object('k',ifnull(NULL,value))), subtype(ifnull(NULL,value)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(iif(1,value,'x')), json_object('k',iif(1,value,'x')), json_set('{}','$.a',iif(1,value,'x')), json_insert('{}','$.a',iif(1,value,'x')), json_replace('{"a":1}','$.a',iif(1,value,'x')), json_quote(iif(1,value,'x')), json(jsonb_array(iif(1,value,'x'))), json(jsonb_object('k',iif(1,value,'x'))), subtype(iif(1,value,'x')) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(CASE WHEN 1 THEN value ELSE '[0]' END), json_object('k',CASE WHEN 1 THEN value ELSE '[0]' END), json_set('{}','$.a',CASE WHEN 1 THEN value ELSE '[0]' END), json_insert('{}','$.a',CASE WHEN 1 THEN value ELSE '[0]' END), json_replace('{"a":1}','$.a',CASE WHEN 1 THEN value ELSE '[0]' END), json_quote(CASE WHEN 1 THEN value ELSE '[0]' END), json(jsonb_array(CASE WHEN 1 THEN value ELSE '[0]' END)), json(jsonb_object('k',CASE WHEN 1 THEN value ELSE '[0]' END)), subtype(CASE WHEN 1 THEN value ELSE '[0]' END) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array((SELECT value)), json_object('k',(SELECT value)), json_set('{}','$.a',(SELECT value)), json_insert('{}','$.a',(SELECT value)), json_replace('{"a":1}','$.a',(SELECT value)), json_quote((SELECT value)), json(jsonb_array((SELECT value))), json(jsonb_object('k',(SELECT value))), subtype((SELECT value)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array((SELECT +(value))), json_object('k',(SELECT +(value))), json_set('{}','$.a',(SELECT +(value))), json_insert('{}','$.a',(SELECT +(value))), json_replace('{"a":1}','$.a',(SELECT +(value))), json_quote((SELECT +(value))), json(jsonb_array((SELECT +(value)))), json(jsonb_object('k',(SELECT +(value)))), subtype((SELECT +(value))) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(upper(value)), json_object('k',upper(value)), json_set('{}','$.a',upper(value)), json_insert('{}','$.a',upper(value)), json_replace('{"a":1}','$.a',upper(value)), json_quote(upper(value)), json(jsonb_array(upper(value))), json(jsonb_object('k',upper(value))), subtype(upper(value)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(value||''), json_object('k',value||''), json_set('{}','$.a',value||''), json_insert('{}','$.a',value||''), json_replace('{"a":1}','$.a',value||''), json_quote(value||''), json(jsonb_array(value||'')), json(jsonb_object('k',value||'')), subtype(value||'') FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(max(value)), json_array(min(value)), json_quote(max(+value)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_group_array(value), json_group_object('k',value), json(jsonb_group_array(value)) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(x), json_quote(x), json_group_array(x) OVER () FROM (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]'))
SELECT json_array(x) FROM (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]'))
SELECT json_array(x) FROM (SELECT +value x FROM json_tree('[[1],"[1]",{"a":2},3]'))
WITH c AS (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]')) SELECT json_array(x) FROM c
WITH c AS MATERIALIZED (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]')) SELECT json_array(x) FROM c
SELECT json_object('k',+x) FROM (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]'))
SELECT json_object('k',+x) FROM (SELECT +value x FROM json_tree('[[1],"[1]",{"a":2},3]'))
WITH c AS (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]')) SELECT json_object('k',+x) FROM c
WITH c AS MATERIALIZED (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]')) SELECT json_object('k',+x) FROM c
SELECT json_quote(max(x,'')) FROM (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]'))
SELECT json_quote(max(x,'')) FROM (SELECT +value x FROM json_tree('[[1],"[1]",{"a":2},3]'))
WITH c AS (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]')) SELECT json_quote(max(x,'')) FROM c
WITH c AS MATERIALIZED (SELECT value x FROM json_tree('[[1],"[1]",{"a":2},3]')) SELECT json_quote(max(x,'')) FROM c
SELECT json_array(x) FROM (SELECT DISTINCT value x FROM json_tree('[[1],"[1]",{"a":2},3]'))
SELECT json_array(value), count(*) FROM json_tree('[[1],"[1]",{"a":2},3]') GROUP BY value ORDER BY 1
SELECT json_array(value) FROM json_tree('[[1],"[1]",{"a":2},3]') ORDER BY value DESC
SELECT DISTINCT json_array(value) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(value), rank() OVER () FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_group_array(value) OVER () FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array(max(value) OVER ()) FROM json_tree('[[1],"[1]",{"a":2},3]')
SELECT json_array((SELECT value FROM json_tree('[[1],"[1]",{"a":2},3]') LIMIT 1)), json_array((SELECT max(value) FROM json_tree('[[1],"[1]",{"a":2},3]'))), json_array((SELECT json_group_array(value) FROM json_tree('[[1],"[1]",{"a":2},3]')))

-- elements put together again: by a condition, in groups that come in the order of the key
CREATE TABLE cart(id INTEGER PRIMARY KEY, items TEXT)
INSERT INTO cart VALUES(1,'[{"sku":"a","n":1},{"sku":"b","n":2}]'),(2,'[{"sku":"a","n":[3]},"x",4]')
SELECT cart.id, json_group_array(value) FROM cart, json_each(items) GROUP BY cart.id
SELECT cart.id, json_group_object(key, value) FROM cart, json_each(items) GROUP BY cart.id
UPDATE cart SET items=(SELECT json_group_array(value) FROM json_each(items) WHERE value->>'sku'<>'a')
SELECT items, items->0->>'n' FROM cart
