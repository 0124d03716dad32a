-- texts with a NUL inside in functions, operators, affinities and collations
SELECT ('12'||char(0)||'3')+0, '12'||char(0)||'3'
SELECT CAST('12'||char(0)||'3' AS INTEGER), CAST('12'||char(0)||'3' AS REAL), CAST('12'||char(0)||'3' AS NUMERIC), CAST('12'||char(0) AS NUMERIC)
SELECT -('12'||char(0)||'3'), +('12'||char(0)), ~('12'||char(0)||'3'), ('12'||char(0)||'3')|0, ('1'||char(0)||'3')<<1
SELECT NOT ('0'||char(0)||'3'), CASE WHEN '0'||char(0)||'1' THEN 1 ELSE 2 END, ('1'||char(0)) AND 1, iif('0'||char(0)||'1', 1, 2)
SELECT typeof(('12'||char(0)||'3')*1.5), ('1.5'||char(0)||'3')*2, ('1e2'||char(0)||'3')+0, ('1'||char(0)||'e2')+0
SELECT length('ab'||char(0)||'c'), octet_length('ab'||char(0)||'c'), length(x'610062'), length(CAST(x'610062' AS TEXT))
SELECT substr('ab'||char(0)||'cd', 2), substr('ab'||char(0)||'cd', 4), hex(substr('ab'||char(0)||'cd', 2, 3)), hex(substr('ab'||char(0)||'cd', -2))
SELECT hex(replace('ab'||char(0)||'cd', char(0), 'x')), hex(replace('ab'||char(0)||'cd', 'c', char(0))), hex(replace('abcd', 'b'||char(0)||'z', 'y'))
SELECT instr('ab'||char(0)||'cd', 'c'), instr('ab'||char(0)||'cd', char(0)), instr('abc', 'b'||char(0))
SELECT hex('ab'||char(0)||'c'), hex(char(0)), unhex('00'), hex(unhex('6100')), typeof(unhex('00'))
SELECT quote('ab'||char(0)||'c'), hex(quote('ab'||char(0)||'c')), quote('a''b'||char(0)||'c'), hex(quote('a''b'||char(0)||'c'))
SELECT hex(printf('%s|', 'ab'||char(0)||'c')), hex(printf('%5s|', 'ab'||char(0)||'c')), hex(printf('%q|', 'ab'||char(0)||'c')), hex(printf('%Q|', 'ab'||char(0)||'c')), hex(printf('%w|', 'ab'||char(0)||'c')), hex(printf('%c|', char(0)))
SELECT hex(printf('a'||char(0)||'%s', 'x')), hex(printf('%d', '12'||char(0)||'3')), hex(printf('%f', '1.5'||char(0)||'3')), hex(printf('%s', x'610062')), hex(printf('%.3s', 'ab'||char(0)||'cd'))
SELECT hex(upper('ab'||char(0)||'c')), hex(lower('AB'||char(0)||'C')), hex(trim(' ab'||char(0)||' ')), hex(trim(char(0)||'a'||char(0), char(0))), hex(ltrim('a'||char(0)||'b', 'a')), hex(rtrim('a'||char(0)||'b', 'b'))
SELECT hex(group_concat(x)), hex(group_concat(x, char(0))) FROM (SELECT 'a'||char(0)||'b' AS x UNION ALL SELECT 'c')
SELECT json_valid('[1]'||char(0)), json_valid('[1]'||char(0)||'x'), json_quote('a'||char(0)||'b'), json_array('a'||char(0)||'b'), hex(json_array('a'||char(0)||'b'))
SELECT json('[1]'||char(0))
SELECT json_extract('{"a":1}', '$.a'||char(0)||'b')
SELECT hex(json_extract('"a\u0000b"', '$')), length(json_extract('"a\u0000b"', '$'))
SELECT json_object('a'||char(0)||'b', 1), hex(json_object('a'||char(0)||'b', 1))
SELECT 'a'||char(0)||'b' = 'a', 'a'||char(0)||'b' = 'a'||char(0)||'c', 'a'||char(0)||'b' > 'a', 'a'||char(0)||'b' COLLATE NOCASE = 'A'||char(0)||'B', 'a'||char(0)||'b' COLLATE NOCASE = 'A'||char(0)||'C', 'a'||char(0)||' ' COLLATE RTRIM = 'a'||char(0)
SELECT 'a'||char(0)||'b' LIKE 'a', 'a'||char(0)||'b' LIKE 'a%', 'a'||char(0)||'b' LIKE '%b', 'a'||char(0)||'b' LIKE 'a_b', 'a'||char(0)||'b' GLOB 'a*', 'a'||char(0)||'b' GLOB '*b', 'a'||char(0)||'b' GLOB 'a?b', 'ab' LIKE 'a'||char(0)||'b', 'a' LIKE 'a'||char(0)||'b', 'a' GLOB 'a'||char(0)||'b'
CREATE TABLE t(i INTEGER, r REAL, n NUMERIC, x TEXT, b BLOB)
INSERT INTO t SELECT y, y, y, y, y FROM (SELECT '12'||char(0)||'3' AS y UNION ALL SELECT '12'||char(0) UNION ALL SELECT '12')
SELECT typeof(i), hex(i), typeof(r), hex(r), typeof(n), hex(n), typeof(x), hex(x), typeof(b), hex(b) FROM t
SELECT i = 12, 12 = i, '12'||char(0) = 12, CAST('12'||char(0) AS INTEGER) = 12, i = '12'||char(0), n < 13, n > 13 FROM t
SELECT sum(x), total(x), avg(x), max(x), min(x), hex(max(x)) FROM t
SELECT abs('-5'||char(0)||'3'), round('5.5'||char(0)||'3'), sign('-5'||char(0)||'3'), typeof(abs('-5'||char(0)||'3'))
SELECT date('2020-01-01'||char(0)||'x'), datetime('2020-01-01'||char(0)), date('2020-01-01', '+1 day'||char(0)||'x'), strftime('%Y'||char(0)||'%m', '2020-01-01'), julianday('245'||char(0)||'9')
SELECT unicode('a'||char(0)), unicode(char(0)||'a'), unicode(char(0)), char(0) = '', length(char(0)), typeof(char(0)), char(0) IS NULL
SELECT soundex('Ro'||char(0)||'bert')
SELECT hex(concat('a'||char(0), 'b')), hex(concat_ws(char(0), 'a', 'b')), hex('a'||char(0)||'b')
SELECT hex(CAST('a'||char(0)||'b' AS BLOB)), hex(CAST(x'610062' AS TEXT)), CAST(x'310032' AS INTEGER), CAST(x'310032' AS NUMERIC), CAST(x'310032' AS REAL), x'310032'+0
SELECT 'a'||char(0)||'b' IN ('a'), 'a'||char(0) IN ('a', 'a'||char(0)), typeof('12'||char(0))
SELECT DISTINCT hex(y) FROM (SELECT 'a'||char(0)||'b' AS y UNION ALL SELECT 'a'||char(0)||'c' UNION ALL SELECT 'a')
SELECT hex(x) FROM t ORDER BY x
SELECT substr(x'610062', 2, 1), hex(substr(x'610062', 2, 2)), instr(x'610062', x'00'), hex(replace(x'610062', x'00', 'z'))
SELECT unistr('a\u0000b'), hex(unistr('a\u0000b')), hex(unistr_quote('a'||char(0)||'b'))
SELECT hex(unistr_quote('a'||char(1)||'b'||char(0)||'c'))
SELECT 9223372036854775807||char(0)||'0'+0, CAST('9223372036854775807'||char(0)||'0' AS INTEGER), CAST('9223372036854775808'||char(0)||'0' AS INTEGER)
SELECT CAST(' 12 '||char(0) AS INTEGER), CAST('12 '||char(0) AS NUMERIC), typeof(CAST('1.0'||char(0) AS NUMERIC)), '1.0'||char(0) = 1, CAST('1.0'||char(0)||'1' AS NUMERIC) = 1
SELECT 1 FROM (SELECT 1) LIMIT '1'||char(0)
SELECT likely('1'||char(0)) + 1, nullif('a'||char(0), 'a'), coalesce('a'||char(0), 1) = 'a', max('a'||char(0), 'a') = 'a', min('a'||char(0), 'a') = 'a'
SELECT '0'||char(0)||'1' BETWEEN 0 AND 1, CASE '1'||char(0) WHEN 1 THEN 'y' ELSE 'n' END, ('5'||char(0)||'1') % 3, ('5'||char(0)||'1') / 2
SELECT json_group_array('a'||char(0)||'b'), json_type('{"a":"x"}'||char(0), '$.a')
SELECT json_each.value FROM json_each('[1,2]'||char(0)||'zz')
SELECT total_changes() >= 0, hex(format('%.*s', 2, 'a'||char(0)||'b'))
SELECT hex(printf('%-5s|', 'a'||char(0)||'b')), hex(printf('%!s|', 'a'||char(0)||'b'))
SELECT string_agg('a'||char(0), 'b'||char(0)), hex(string_agg('a'||char(0), 'b'||char(0)))

-- numbers of texts with a NUL behind them
SELECT ('12'||char(0))+0, (' 12 '||char(0))+0, ('12x'||char(0))+0, (char(0))+0, ('x'||char(0))+0, (''||char(0)||'5')+0, ('  '||char(0)||'5')+0, ('1.0'||char(0))+0, ('1e2'||char(0))+0, ('-'||char(0)||'5')+0, ('12 '||char(0)||'5')+0, ('12 x'||char(0)||'5')+0, ('+7'||char(0))+0, ('9223372036854775808'||char(0))+0
SELECT (char(0))-1, typeof(char(0)+0), typeof(('x'||char(0))+0), typeof(('  '||char(0))+0), ('12'||char(0)||'x')/5, ('12'||char(0)||'x')%5
SELECT ('12'||char(0)||'x')&4, ('12'||char(0)||'x')>>1
SELECT x'3132'+0, x'313200'+0, x'31322061'+0, x'00'+0, -x'313200', -x'3132'
SELECT sum('12'||char(0)||'3'), sum('12x'), sum('12'||char(0)), sum('1.5'||char(0)||'2'), sum('x'||char(0)), sum(char(0)), sum(''), sum('12x'||char(0)), sum(' 12 '||char(0)||'3')
SELECT avg('12'||char(0)||'3'), total('12'||char(0)||'3'), avg(char(0))
SELECT sign('5'||char(0)), sign('x'||char(0)), sign('-5x'), sign(char(0)), sign(''), sign('-2.5'||char(0)||'1')
SELECT CAST(x'313200' AS NUMERIC), typeof(CAST(x'31322e30' AS NUMERIC)), CAST('12'||char(0)||'3' AS NUMERIC), typeof(CAST('12'||char(0)||'3' AS NUMERIC))
CREATE TABLE t(i INTEGER, n NUMERIC, r REAL)
INSERT INTO t VALUES ('12'||char(0), '12'||char(0)||'3', '12'||char(0))
SELECT typeof(i), typeof(n), typeof(r) FROM t
SELECT i = 12, n = 12, r = 12, i < 13, i > 13 FROM t
SELECT sum(i), sum(n), sum(r), sum(i) OVER (), avg(i) FROM t
SELECT i+1, n+1, r+1, -i, i*2, i-1, i/5, i%5 FROM t
CREATE TABLE s(i INTEGER) STRICT
INSERT INTO s VALUES ('12'||char(0))
SELECT abs('12'||char(0)), round('12'||char(0)), max('12'||char(0), 5), iif('1'||char(0), 1, 0), iif('0.5'||char(0), 1, 0), iif('x'||char(0), 1, 0), 5 > '12'||char(0)
SELECT x'3135' LIKE '15', quote(x'313200'+1), 1 WHERE '1'||char(0)
SELECT generate_series.value FROM (SELECT 1) LIMIT '1'||char(0)
SELECT sum(x) FROM (SELECT '9223372036854775807'||char(0) AS x UNION ALL SELECT 1)

-- large numbers of texts with a NUL behind them
SELECT sum('1.0'||char(0)), sum('4503599627370497'||char(0)), sum('9007199254740993'||char(0)), sum('1.0'), typeof(sign('1'||char(0))), sum('9223372036854775000'||char(0)), sum('9223372036854775000')
SELECT sum('1e3'||char(0)), sum('2251799813685249'||char(0)), sum('4503599627370495'||char(0))
CREATE TABLE t(i INTEGER, n NUMERIC, r REAL)
INSERT INTO t VALUES ('9007199254740993'||char(0), '9007199254740993'||char(0), '9007199254740993'||char(0)), ('9007199254740993', '9007199254740993', '9007199254740993'), ('2251799813685249'||char(0), '2251799813685247'||char(0),1), ('9223372036854775807'||char(0), '-9223372036854775808'||char(0), 1)
SELECT *, typeof(i), typeof(n) FROM t
SELECT CAST('9007199254740993'||char(0) AS NUMERIC), CAST('9007199254740993'||char(0) AS INTEGER), '9007199254740993'||char(0) + 0
