/* demo_data.c - what the demo's branches, models, things and people are called. Prices per day and hour in won, VAT
 * included. */
#include "demo.h"

#include "domain/roles.h"
#include "lib/web/web.h"

const struct demo_branch demo_branches[DEMO_BRANCHES] = {
	{ "Seoul Station",   "서울역점",     "Seoul", "405 Hangang-daero, Yongsan-gu, Seoul",
	  "서울 용산구 한강대로 405", "02-555-0101", 26 },
	{ "Gangnam",         "강남점",       "Seoul", "396 Gangnam-daero, Gangnam-gu, Seoul",
	  "서울 강남구 강남대로 396", "02-555-0102", 30 },
	{ "Hongdae",         "홍대입구점",   "Seoul", "160 Yanghwa-ro, Mapo-gu, Seoul",
	  "서울 마포구 양화로 160", "02-555-0103", 20 },
	{ "Jamsil",          "잠실점",       "Seoul", "240 Olympic-ro, Songpa-gu, Seoul",
	  "서울 송파구 올림픽로 240", "02-555-0104", 18 },
	{ "Gimpo Airport",   "김포공항점",   "Seoul", "112 Haneul-gil, Gangseo-gu, Seoul",
	  "서울 강서구 하늘길 112", "02-555-0105", 20 },
	{ "Jeju Airport",    "제주공항점",   "Jeju",  "2 Gonghang-ro, Jeju-si, Jeju",
	  "제주 제주시 공항로 2", "064-555-0106", 52 },
	{ "Jungmun Resort",  "중문관광단지점", "Jeju", "38 Jungmungwangwang-ro 72beon-gil, Seogwipo-si, Jeju",
	  "제주 서귀포시 중문관광로72번길 38", "064-555-0107", 20 },
	{ "Seongsan",        "성산점",       "Jeju",  "30 Seongsan-deungyong-ro, Seogwipo-si, Jeju",
	  "제주 서귀포시 성산등용로 30", "064-555-0108", 14 },
};

const struct demo_model demo_models[DEMO_MODELS] = {
	{ "Kia Morning",              "기아 모닝",                 BODY_MINI,   5, FUEL_PETROL,   49000,  6000, 12 },
	{ "Kia Ray",                  "기아 레이",                 BODY_MINI,   4, FUEL_PETROL,   55000,  6500, 12 },
	{ "Hyundai Casper",           "현대 캐스퍼",               BODY_MINI,   4, FUEL_PETROL,   59000,  7000, 12 },
	{ "Hyundai i30",              "현대 i30",                  BODY_HATCH,  5, FUEL_PETROL,   65000,  8000, 6 },
	{ "MINI Cooper 5-door",       "미니 쿠퍼 5도어",           BODY_HATCH,  5, FUEL_PETROL,  119000, 14000, 4 },
	{ "Hyundai Avante",           "현대 아반떼",               BODY_SEDAN,  5, FUEL_PETROL,   69000,  8000, 18 },
	{ "Hyundai Avante Hybrid",    "현대 아반떼 하이브리드",    BODY_SEDAN,  5, FUEL_HYBRID,   79000,  9000, 10 },
	{ "Kia K5",                   "기아 K5",                   BODY_SEDAN,  5, FUEL_PETROL,   85000, 10000, 12 },
	{ "Hyundai Sonata LPi",       "현대 쏘나타 LPi",           BODY_SEDAN,  5, FUEL_LPG,      82000,  9500, 12 },
	{ "Hyundai Grandeur Hybrid",  "현대 그랜저 하이브리드",    BODY_SEDAN,  5, FUEL_HYBRID,  115000, 13500, 8 },
	{ "Genesis G80",              "제네시스 G80",              BODY_SEDAN,  5, FUEL_PETROL,  169000, 19500, 5 },
	{ "Volvo V60 Cross Country",  "볼보 V60 크로스컨트리",     BODY_WAGON,  5, FUEL_HYBRID,  159000, 18500, 3 },
	{ "BMW 320i Touring",         "BMW 320i 투어링",           BODY_WAGON,  5, FUEL_PETROL,  165000, 19000, 3 },
	{ "Kia Seltos",               "기아 셀토스",               BODY_SUV,    5, FUEL_PETROL,   82000,  9500, 14 },
	{ "Hyundai Tucson Hybrid",    "현대 투싼 하이브리드",      BODY_SUV,    5, FUEL_HYBRID,   99000, 11500, 10 },
	{ "Kia Sorento Hybrid",       "기아 쏘렌토 하이브리드",    BODY_SUV,    7, FUEL_HYBRID,  119000, 14000, 10 },
	{ "Hyundai Palisade",         "현대 팰리세이드",           BODY_SUV,    7, FUEL_DIESEL,  145000, 16500, 6 },
	{ "Kia Carnival",             "기아 카니발",               BODY_VAN,    9, FUEL_DIESEL,  135000, 15500, 12 },
	{ "Hyundai Staria Lounge",    "현대 스타리아 라운지",      BODY_VAN,   11, FUEL_LPG,     139000, 16000, 6 },
	{ "KGM Rexton Sports",        "KGM 렉스턴 스포츠",         BODY_PICKUP, 5, FUEL_DIESEL,   99000, 11500, 4 },
	{ "Hyundai Ioniq 5",          "현대 아이오닉 5",           BODY_EV,     5, FUEL_ELECTRIC, 105000, 12000, 8 },
	{ "Kia EV6",                  "기아 EV6",                  BODY_EV,     5, FUEL_ELECTRIC, 109000, 12500, 6 },
	{ "Kia Ray EV",               "기아 레이 EV",              BODY_EV,     4, FUEL_ELECTRIC, 65000,  7500, 4 },
	{ "Tesla Model Y",            "테슬라 모델 Y",             BODY_EV,     5, FUEL_ELECTRIC, 149000, 17000, 3 },
};

/* n_pieces bought at the beginning; most in one order; likely: how often one is taken, against the others. */
const struct demo_item demo_items[DEMO_ITEMS] = {
	{ "Infant seat",             "영아용 카시트",   "child_seat",  8000, 22, 3, 2, 16 },
	{ "Child seat",              "유아용 카시트",   "child_seat",  7000, 34, 5, 3, 28 },
	{ "Booster seat",            "부스터 시트",     "child_seat",  5000, 26, 4, 3, 18 },
	{ "Snow chains",             "스노 체인",       "winter",      9000, 26, 4, 2, 9 },
	{ "Ski rack",                "스키 캐리어",     "winter",     15000, 10, 2, 1, 4 },
	{ "Four-person tent",        "4인용 텐트",      "camping",    25000, 14, 2, 2, 6 },
	{ "Camping chair",           "캠핑 의자",       "camping",     4000, 48, 8, 6, 8 },
	{ "Camping stove set",       "캠핑 버너 세트",  "camping",     8000, 12, 2, 1, 4 },
	{ "Pet carrier",             "반려동물 이동장", "other",       6000, 12, 2, 1, 6 },
	{ "Portable power station",  "휴대용 전원",     "other",      18000,  6, 3, 1, 1 },
	{ "Projector",               "빔 프로젝터",     "other",      30000,  6, 1, 2, 0 },
	{ "Two-way radio",           "무전기",          "other",       4000, 24, 4, 8, 0 },
};

const struct demo_stock demo_stocks[DEMO_STOCKS] = {
	{ 1, "receive", 12, 240, "새 카시트 입고" },
	{ 6, "receive", 20, 196, "여름 성수기 전 입고" },
	{ 2, "loss",   1, 151, "벨트 파손으로 폐기" },
	{ 3, "receive", 10,  31, "겨울 대비 입고" },
	{ 5, "loss",   1,  64, "폴대가 부러져 폐기" },
	{ 11, "adjust", -1,  12, "재고 조사에서 하나 부족" },
	{ 9, "loss",   4,   5, "배터리 결함으로 제조사에 반납" },
};

const struct demo_place demo_places[DEMO_PLACES] = {
	{ false, 0, "서울 중구 세종대로 110",               "시청 정문 앞" },
	{ false, 0, "서울 종로구 세종대로 175",             "세종문화회관 지하주차장 입구" },
	{ false, 1, "서울 강남구 영동대로 513",             "코엑스 동문" },
	{ false, 1, "서울 성동구 뚝섬로 273",               "서울숲 주차장" },
	{ false, 1, "서울 송파구 올림픽로 300",             "지하 2층 B구역" },
	{ false, 2, "인천 중구 공항로 272",                 "제1터미널 1층 4번 출구" },
	{ false, 2, "서울 강서구 하늘길 112",               "국내선 도착층 1번 출구" },
	{ true,  2, "제주 제주시 공항로 2",                 "도착층 5번 게이트 앞" },
	{ true,  0, "제주 제주시 광양9길 10",               "제주시청 주차장" },
	{ true,  1, "제주 서귀포시 중문관광로 224",         "국제컨벤션센터 로비" },
	{ true,  1, "제주 서귀포시 성산읍 일출로 284-12",   "매표소 옆 주차장" },
	{ true,  1, "제주 서귀포시 중앙로 105",             "" },
};

const char *const demo_refusals[DEMO_REASONS] = {
	"그 기간에는 사내 행사에 모두 쓰입니다.",
	"수량이 많습니다. 네 개까지로 다시 주문해 주세요.",
	"안전 점검 중이라 이번 주에는 빌려 드릴 수 없습니다.",
	"용도가 확인되지 않았습니다. 팀장 확인 후 다시 주문해 주세요.",
};
const char *const demo_call_offs[DEMO_REASONS] = {
	"폭설로 도로가 통제되었습니다.",
	"배송기사의 차량이 고장 났습니다.",
	"주소에 차를 세울 곳이 없습니다.",
	"행사로 진입로가 막혔습니다.",
};

/* example.com is a reserved domain */
const struct demo_person demo_customers[DEMO_CUSTOMERS] = {
	{ "김민지", "minji.kim@example.com" },      { "이준호", "junho.lee@example.com" },
	{ "박서준", "seojun.park@example.com" },    { "최지우", "jiwoo.choi@example.com" },
	{ "정하은", "haeun.jung@example.com" },     { "강도현", "dohyun.kang@example.com" },
	{ "조수아", "sua.cho@example.com" },        { "윤지호", "jiho.yoon@example.com" },
	{ "장예린", "yerin.jang@example.com" },     { "임시우", "siwoo.lim@example.com" },
	{ "한유진", "yujin.han@example.com" },      { "오현우", "hyunwoo.oh@example.com" },
	{ "서다은", "daeun.seo@example.com" },      { "신우진", "woojin.shin@example.com" },
	{ "권채원", "chaewon.kwon@example.com" },   { "황민재", "minjae.hwang@example.com" },
	{ "안소율", "soyul.ahn@example.com" },      { "송건우", "gunwoo.song@example.com" },
	{ "류나은", "naeun.ryu@example.com" },      { "전승민", "seungmin.jeon@example.com" },
	{ "홍가은", "gaeun.hong@example.com" },     { "고태윤", "taeyun.ko@example.com" },
	{ "문지안", "jian.moon@example.com" },      { "양성훈", "sunghoon.yang@example.com" },
	{ "손예나", "yena.son@example.com" },       { "배준영", "junyoung.bae@example.com" },
	{ "백소희", "sohee.baek@example.com" },     { "허동현", "donghyun.heo@example.com" },
	{ "유하린", "harin.yoo@example.com" },      { "남기훈", "kihoon.nam@example.com" },
	{ "심은서", "eunseo.sim@example.com" },     { "노재원", "jaewon.noh@example.com" },
	{ "하윤서", "yunseo.ha@example.com" },      { "곽진우", "jinwoo.kwak@example.com" },
	{ "성미래", "mirae.sung@example.com" },     { "차은호", "eunho.cha@example.com" },
	{ "주혜원", "hyewon.joo@example.com" },     { "우정민", "jungmin.woo@example.com" },
	{ "민세아", "sea.min@example.com" },        { "구본석", "bonseok.koo@example.com" },
};

const struct demo_worker demo_staff[DEMO_STAFF] = {
	[POST_MANAGER]   = { "manager",  { "박서연", "manager@example.com" },  ROLE_MANAGER },
	[POST_ADMIN]     = { "admin",    { "최도윤", "admin@example.com" },    ROLE_ADMIN },
	[POST_COURIER]   = { "courier",  { "한지훈", "courier@example.com" },  ROLE_COURIER },
	[POST_COURIER_2] = { "courier",  { "오세영", "courier2@example.com" }, ROLE_COURIER },
	[POST_EXAMINER]  = { "examiner", { "윤정아", "examiner@example.com" }, ROLE_EXAMINER },
	[POST_EMPLOYEE]  = { "employee", { "김태호", "employee@example.com" }, ROLE_EMPLOYEE },
};
