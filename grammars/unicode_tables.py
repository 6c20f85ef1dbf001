"""Unicode properties, compressed. Written by scripts/generate_unicode_tables.py; do not edit."""

from typing import Final

SOURCE: Final = "regex 2026.11.15"

# Keys are loose names: lower case without underscores. `gc=` general category, `sc=` script, `scx=` script
# extensions where they differ from the script. Values: base 85 of zlib of differences, seven bits a byte.
TABLES: Final[dict[str, str]] = {
    "gc=lu": (
        "c-nK6N)=~hS7am)FcIJrqn()v%wlF@0g*r+6HE?_m_cl2Ms`LfMkXTc1FK<XBpa{;4FH<J0^=_PS;5T6!N>+NmWff2ky9DyB3yQ`"
        "f}PD|Y(UT|PAY^s6C-T_liEo!HISz+v4%|+WMtE3Vm?4?JIMo_w6}qSgN=&=2-vuxA{-nZEIc5{%FWWo1WYu*<O@u|%&cq>c@`!X"
        "E+$q+TgE>k1_scS&InFiOpF}Nv=0*wuw`dIk)}%+k6b${moh(ap`>6ID2Ew)u3|+KVZm1XurLZSeq&?Wyqr<$D5pjTqskmcZbp7k"
        ";qi*scrK&ZE-{6M)r<-blE+UmN`V0=uL2QJCkK!Rj6)_4Ms{gXTmmg*W|x*i069rT7-am)2Q(B?Jc(fqi$-B30ONTf(f"
    ),
    "gc=ll": (
        "c-qZWJxc>Y5arF@e%vLVn&4sf5JD6&#Nr^>XklgVU$F5XSPG(rf}NIvy`<H~$}|dsf5ytv**#O_avDtt__$qWc9@yR?AtrA+h{Mt"
        "U^37c|2OG^yd@}bJ9{*U`A;~TNGQ-~`O$vljszx#CSM{L_<Lmgo+VSOAzcND@2X43hp3y4?-EWwZNiL^wO^7Bi4Unx7n$$T=I$I?"
        "hxmsGXWzl7$T0FfCgUMNie&*Z0r649)|C^oK*|DQIddSu7J5tBm(1anMNo3~Qz7lURo9&|uiyWcT>l|<KIDlhX_{d%2e~K8A6Rj0"
        "LCHg~ocy3VGSvG|x6oC2XY5<Jae=iPR4@+>I*Yr<$z#$y>7lvPcz%Vo8Z~RJtEW-1MXaO^C|g*-eH`)i>iqwOq<kU^`m)~o1Qn1X"
        "@c"
    ),
    "gc=lt": "c-lM4%*X_UYK&8@IY5Aik)KhY5da{u0z3",
    "gc=lm": (
        "c-jrhF-rnr9LI6Kzvutl@lbbCP`5-yAV?7u?b=J|4Ma2*<mA?LlY&Dof<u#oREtqWvvUaIkV{lZL3{fR^_f2pe%TgN9|KMBd^qjv"
        "2?pp&GByY}`fv-cft+XKE#ZQ1W9p)NY6)BAM^8d&={?ggj9}*2@t#v1yWS^!g{UJMtm!fwk#TNL|7Ddn)LGG)1zLBot9dD6o3yjQ"
        "CNt4p=jR$LoU7=@l0!kNA~#|*IXT#?z7P*%y2jY}0~g~c00"
    ),
    "gc=lo": (
        "c-mD{O^6&t6y|$X)m2?HJw4s?)AO_4GdnXo&g{-)X0tO(HY;Y`l}HGfn}0||J%~SuOZ23NJw&|(K_MUt3KEb6#1)Zs<0V2wM8!ak"
        "UNoo|W$~7q_<EKI>FTbgU%#*3`@Z+y6~M<1LCPDTt4>|YVH37Zcm}AD6@)yH#E)fAnJ<+Wt2(19(E0xQsz3;B^S(4hRE7qG6zuI0"
        "M2;+sBM<GAu7(5(BJV=r(56znPZ2VA@H1P&XdeOK2m#6A0TLvH$d)lNjE;~Os0lDAfjqR>8Io;21!;tSnza%}R2&tG3S2%!A0LCV"
        "&U$*HLWOq=azQGRO`I_3)YZAABJz%87J{^pUKZQmvogfgc<=Kw|NobdHQu)t^4ot)3Q$w09iv09kPCAjGnn+S)y7mSYH_%ewy~U$"
        "$_!*}HFBrB7zJiE@yHHpoxZTiwuHkpan;D%(XmS8YTUIxk(fe0Y=Fll)Dq4H&2fH5UR&9?cnP>|wtD6Q$-JdaET6m#JPV;&28k%1"
        "<c{9w2<D%evr#qHqoE?#D)b`(Q_Qo>5J$OmL@HILLL#G)bBI@(#XD%nmmbMRa{2t`0nzhYscaq#h*?=*od1i$4O;DGUr~4q&shwq"
        "A!cY2?JR02u$ND{)@yHwSS*j4UXdH4YZK~7vxA48?wQFGlk6V3WozDp!#NC6B`C6y+qj?6wrp!ot$WO&4fv8-#f!0s+Xi#>RsL7-"
        "!k13%q0{C5+NDK@xH~8)2QfEbc`-avsz=%B8WFr<vs&xKoQ`P=WXCyKViN5T)dHQE)szRp>QVQub_|hKiA~9(3sl){Fb!o<B;z8R"
        "zQU+4JL4kOmpnXJU(ov)+=O9e3?nK&yPq|54^I&0V0#)RWR4UNo(k|K<{K^+0xTylr?I*vRJjMx%pvN7N;p7)@g7>Q<IMZ|Ph7{3"
        "#i#sT6FAim8tOZ_KTU3V`%*W8GeHuLS4yhzh3H)rrxiZKFKeCFljpp5b#CR;doOdF$2>_nr7wu{;S0(WuD1U?fLG~X8qVVzO2WbK"
        "qW(uZd_SYX8WS`r7r(I#GA$s!#n)D%p6Wnp3$WTeqK7Zc0O@__O26a`D`#^Su#yVF_13RHQS+k~-X7BD$NdBOap6OGEAvBFUD<qd"
        "kFGuXAGq6iqy"
    ),
    "gc=mn": (
        "c-kdWJ7^VA6lCU{yZ7$reWJ<B&-Zv})R#!&OAN*&Bu0b~I~4^#g(Aj65p1;3CMXCNLO{h>D1zA7D1u-Uv<g}XDXg?Hf|U>i3mXZZ"
        "eePYj`#CeSGqVfPm3wq|I0%5YWHxPflrirak<e|Z^`1^A;uu|u7y`FTCgXuF)W-~<K_Nb26%$YmXlD<|aVV7(L5+emzjvV8+e!qR"
        "WDbPWlr>Bt!-&xun>c}brY$xif@3?kaGd{{tC)iq;1uYya1M-9e~7)vkFg?5!KLVnaX}4AvYRSpE!bs*65cs^?WM|^tr@}xFpV*2"
        "d{?;@*F+g3lCL&x;_x{sLzEEBB1THugbCQ$h%?sB8)Tmi7+NL*xnu?k@VT&X1v9IzV7X))opKjATYsT?iJyO(>!i-ZTr@Nk-E?>e"
        "_G~I(N9az6q=`JWoj7R0lNkbbV~;72&Jr77z<OSh;?)yi&6UgLPafZa2XMCwV)nHmis#_6>H)V*)?B?jn-1#@>@D@1vqXkXz++1K"
        "9Ktj*j>d@+XT<m|CE~Hkg$|2cu-%KBjS8)Ji##53vz<6*1sa0u(8#vl{DomJqD6rDd{?+zmL?aN7mY;&*t2@lh-gK|5oO3)S+P;0"
        "{AgJl@My)p%LuPWl6$oL=W;=uz)jj8G3qRRlmF3=sPy4vCh~r>oAgTo`}GLkJ_6VJhS>Q{I4x~~zNYsf6+SDC=}15k6^GJl;?dSp"
        "ap&<A{tq#we?>RI-z`n+<BRyq{>{tgFZ=^fh)l`"
    ),
    "gc=mc": (
        "c-ke9yGlbr5Qh2wIcIZnh(Q8@2=P)0D!~wtKr{-rwkd2Zy%10kA3!A72E<peGQAIA<E6I|6iXYiNTH>(k!5$;e`fw~W(O78$g%{r"
        ")UhBbXN8V!`_4dX>Hz=xfjrf)oF(ff-55#bT2Xb%UY$;2%i6J!RrD-vF+vFeX-2uJP?dtn?YG1n7f{I1s}flv!Uq#p(WzOuf+nd0"
        "P}g%4=WI9~OwBCQ2&&vIYW(fq?5Z_AM5{F2OLpSj)@Zobu}4$B&}4D_=o;rVoOeb|>ol#XDfY}fdW+4gqsWpK$<?z$tV-gsZ<*8k"
        "7W^%DwBXmNixGkXhs04YW93hrcv8g>|J#Hfv)bgzyLasY%JhleFQjh6yHxVtquJ*GyQ#O2G`@G&@P?IG&>vC}Df$"
    ),
    "gc=me": "c-rgWWZI&`IFE;gk-58@i5UPK@B=~",
    "gc=nd": (
        "c-m!+p$bAl5Jj0?--e?IKGZ+ZEC!R=WHy`p1hXJ)7KBMJZ!#Oj^u9p-1V3S|&SI2dhGFi#XJ(`xQD}w6v;V8D^$K-1+CEb*j)Rbd"
        "z*X3kXrMhiQe~=9#&%SXnk9CL1CyIjGD}WUKrd&=?AQ^8Ym&D`D+^_@9}C{*INFE$2iFeyCOk&-dtJ=g^AVl_o$v)<XDiP"
    ),
    "gc=nl": "c-niX%luwMnTh3}45K6`AM@(Bj9eGCFq)oWX5?UOV`N?BP{7K4fpI(2+ewVf03y%~(f",
    "gc=no": (
        "c-jHD07w6_0Rja90t2-Y2KWL7cmst22iXA!5ecya3bhCn^9Tyy0|Au{0RsjG3dR8tDFN06JWdw&1Rm)M0h9>@iUA592mucu3MUWn"
        ">H!APu>mbX1Q7z&0vjX*v<e6r2PX+j1r`RN0RjRL0xm!aGy)z2O9f~M7zil`$^r)90w10M3MvF}2ZjL@`vMfj3IeVJ3FihA(*_lW"
        "mjMT!1{bNw0Tc`rY#Gif384o&0RsU9Of3Nq!UqjrlPAy"
    ),
    "gc=pc": "c-o6+yl>AW%y@4%Gm`}Kdqze8CxQe&",
    "gc=pd": "c-qrtyu-z4%y>|Sv6X|dQ-G~ehLMR;o{5D~hH)P=qcCGW<AmAFOsb4rj4K%#9{>fJ7y<BS2}u",
    "gc=ps": (
        "c-qroG-8xz+$YP($as&B@t+VQGou=#IU_&gFBYJX9OFI?Mr07cr~qeAVP?bz9DrDnaVbonB%=_N#m2Z4p##QZVq7?jnejR!qb!;+"
        "%#4CydKDwsh0H*e00Te_S^"
    ),
    "gc=pe": (
        "c-qrsG-i}%+$+n-$as&BaiuV$IU_&gFBTwIj&UCcBQgkJRDiRmFf(EU4nVBPxD=*O2THRsE=8z^v6z_V&0=P}$;c>+W(YH*Aedgo"
        "2zDD25CQ<30Snv"
    ),
    "gc=pi": "c-mXd$oR&Nk%@_kQIhe5G$SJ;3nLRFKO-|E062C6`~",
    "gc=pf": "c-q^|$avR|k(p73@q{!ZBO?nV6C*#63jj3y0{s",
    "gc=po": (
        "c-mc%KS-5f6o+|!=e+Ot-S76PgItjW2`bWrbP+<3j3BrK4M9{C5rG&YU92JDA|c&yP;6<){tiM?Lqk)L4K401H8lm+RN$oE!MD|O"
        "hBF-aJrBPlhKV#PWID__0v*cu63F>xaez^jc1YdnlwftA<YdPmY_zkVmQ=6=518YzafrX-8im&Bga-BCx*OlaFR!#BO*^lbB;v7%"
        "f0BNnhh)SziJtXY)5pTN&g50TM&)^4k;|-_<cif^M-5hxCtX#N5eXd<%G1A;RrT8JG#jw+8!gLjQ*bY~<(GBBU___5Rd%WA^Xk$L"
        "tgVrW8r@2nhG!O2=2H$7ax`&P&0YkCd1Y(`Hld#<svM`0oz1TL$H*hXkZ+L92%q<1U3BMvS6AXR@05gRLy<zK*rn%=^_3S`z}m1V"
        "dk)w0OGda+e21H1P_3YP`2qgrp<UD7eYIdB<gB~Bm2ZmA&tPjTY}fc1wGZ5_LGl"
    ),
    "gc=sm": (
        "c-mEs!3qIU6hJ%ozV{e4Oo^Jrn~k25vXGr@e1)Iz3z}I{K0(SyD0bFL$xc2+W?`e#*_}E=5}g4f41GKw%g*R|LQK$DHxR62VXYXX"
        "q=FYId%u-Tmh{qrdnysr>WaHq@wH?v1?{=XB$shZ+-t9#9O#kXs{m&X9l7PIN&VU&Eyw>}T=x;=-Hg6RJQh6"
    ),
    "gc=sc": "c-m88tYvx0$ym+!iJ1wA*crbvGPW}@9%W&iEzEdCQ1x>k6XW64jEp&qvltm~GcqwVeY0no*T&4aL6{K$=_L>a",
    "gc=sk": ("c-o6&WMp(_WMgDuWM=GSVd3FpWe17~mNN1&HE}U+(PLy}=4R#vL8dv1Opo6%igPlhGhJW@${$<6DEONVsCp42<5O9t4X2n{0gDO^WB"),
    "gc=so": (
        "c-kG2J7`p45QX{9|JeWjd+*-68aEhpcM)_WY*ZAoDnYi>N=PMwg@wJ1y{l1_U?KP@1e+}c3p+t9gfxO$7#|Qs(gcm2kj4kv_^&h7"
        "%o)x(GxG?91>V<KmM-fpM7HY}ELnbtt9ZButFWIN#*|>>r<lZbLPF*2OSI+UN5==pL-uSaX4z7GLadksy#GI*%DNg8L5?ePN@&U&"
        "9i<MPTMBkcH7(NKIqOfg>Wima&mdzyT;w<X{&1v`J+wo<r)4(ro6><9&gN^(RF*<H3DY~t#_qn1s#9+V%5LnHD_S`+y#0j1hPN?^"
        "y|Cu>nCiQ#q2|M!`D!p&6?(4hSW||=aB%KVu2sv;5WZF1YX;kVb06zi8^f3O7SWie#!qAF)%i;cKZ!jpIMY(CZSN+!BBZstBhEa|"
        "Ms{Ei2O8*A!Fr1;>D;bwFXW|4O7>2V8SF0lHmj-OAMh9V*{Nv?vyRQ}E_*aYKO5T0txkMWXs9qJ(;K!Wo4LCK=OX_AE~Z5_"
    ),
    "gc=zs": "c-m87tY^Hh&G=u4TZK`dae+J|045>>-T",
    "gc=zl": "c-mXxzz6^Wd;sb",
    "gc=zp": "c-mX(zz6^We*o(",
    "gc=cc": "c-mu7h*tyv0Yd<x",
    "gc=cf": "c-mXb$asm1O^opXBcmZ>12a<q<7zp^Km4pxtcI+NT>X2Q8GkY|A5>)IXME%)@L&QH%Xv+Xwz~$5atQ#5)DEo",
    "gc=co": "c-m_?z}#Te&}Z@QKQj{$0{}P}2R;",
    "gc=cn": (
        "c-mD|TZola6y{rd?aROa+nh7Ub7szMF3g<KnKRx-or}|;W#dRDig=?iAx)^4Am0KBsiZLJMh}VxAws=W5STAwQPV>Nz9dl+QoSlY"
        "ML}6>pMz2VIeV{tTi;rHt#9q$4H>ooN_b77g&EA68k_hmVV;g<n`s^8s1p$DVSNX1L{x?-D5glp?7##~{iI;HyGP+CDq7}B!7^YA"
        "ULk@)cVCm2u_EM5iM2Amj~n&^uF|@LTl54YAS{OgQUa(F)?r09kgd?EXjjlf0i7*LFJ6(i<<7bfc-<Wxbi{5FG^P;z?V+m3qUsah"
        "KvoVIvEqy;mCSKtG}zSWlfFV)dJ9iHxP%cN!w7PuqsyHW^alxc2qV)fX+!_ca?DEq5DluT*-wTpXm!YzqrRxraf6b><c&8~bI4BU"
        "ML&Rq6NVZm9k;n^Vzoe9(V$q)WVAJZ6qn)VRjwBF1jTMbzrzCBlIGC;256%=mXSd(g^(XZLVMz&{0#V<F2^h0&gdTL$&S}Ema@Lc"
        ";{U&s#Puo;B{xysjs0|7Pv9{2M{9BC7pUpz7L`7Q`w@(6UU@U)7F}Xa#7(seF%Mxn%E;64zPcA?k?Ei>&`G)Fr2|QY*YVwL^mNN6"
        "T2~Q58p!gh9vnAQ=moRJX<5KEsE)d%TL8SK1XbA=!caE+yjDD^4kA@pv-%VoYF%FEk*KLBbQ7bTjbDVA8{rXN={CfPgd^}O?n<>G"
        "xk6FdyFP<)WLu0_Ys)gIf+ZKN6(f2`)pV^j!zEfTGbed!kYaBmyJc{UlW3D_P)%1YCwBLa>8W(eu6EwERKw8?3<#_u>M^03+<3X#"
        "s+TI!E^%<12lZQTHlpapq9Z89MXXuq@I-uz&1UTl|F;r^ZBhw==h_N8b?igD1h*?$Bspq44&7XG{xUXEYxv>Vo3wXM_)@CZDCf#m"
        "%pcvGIEk|prKVIz68S|(t0}H6xxMKQ8}D-mhcj;?Od|6QH7NG89l?XP3Wg%NoDn%H&4~YPmfYS&zb#;uYV1S4K0R-r`hp~|uN0q5"
        "Z#sW|K!3$oH_k1mSJ@80^B#E9B;yyom#eMNy&tK$Wjv<)slWXQ&)UKk9oy)K*^%KVo=e}f+0=!3?!@4IsosW!Ak+4Yda?M7PE}+*"
        "xm(S@pgvKi0_BF}E|uuS{BQ8f<kv5hl2URY>OYNr*d89D@Ju1;l<!t4Mklf^!4vigxxOV_BD$t?jeK|GXL|~n-86>+buyqAhVbm9"
        "5=t{&r-8zp#tk)o6BCT<lIgOe+k(b{nD`RZvuY>H$v4cloez92%e9au`Fk15XSxER@H^}GzcAwtP&nXGkhe;suz}7}n~x^BJR><q"
        "{fC%tq-~C*Y|S}*Z>gYCbqn%h)Okjdw9+*xValSh@5p78s_kN`D0PzPw}9g>x!d2+;Jd>(J4qkU<#+kL-i!QG{B=uz@Zif===#CW"
        "POn7s$P4%tum7p;{jDgpe*h)Un(_"
    ),
    "sc=unknown": (
        "c-mD|TZola6y{rd?aROa+nh7Ub7szMF3g<KnKRx-otfh_sM$D@i6Y)8Oh^;zCCIlxLM$mvy3vE8L5NT<6$IvsSk&|ofiFpvgjBCe"
        "Pf<|O+GjB8zwEVd>sxED^{xH8A;T6x39l)%FoRiBV-uez%+c{|Gp(Z>bpm2NtnUGih{_NJ#S}@O9hji0pA-x)uTgkKMax(zSO#pt"
        "D@0IOUf1NMuLwC)Vy*Na;D)t;tF-Ro7CpfT2+L-GlmM!Pb(oO_WGi$k+7<LrKxa$RidW=qxjXLz-tvkLI$}2o8dC`V_E1%1QT2&$"
        "AS)Y;SaHUaN;=#a4K_9Uq^*#a*1{7HE@FhoFoGQE=u&qF{Xv2q!pO8r{-J+IIcBAOm<CnV93VrNv^s3dQD0Q*x<Sbi^2VF0Icz8N"
        "f*(M_2}6yOj@w){v6`o?XizMBGTNFyhO2OMDp&J*f?_wJ-(dl5$?vfI4A4e#EF*(n3L!s^g!aZm`8n_fU5;10ozdT<C%azHSjze$"
        "i~ql;i0f4xPHv;R2M6ecp1=_th}PoXFHqCb9V&ea_ahkDobqPIEx5#-jGJmVVjjYDl#!<seRVI)BGW~mr&DsuD+iMbuRF8tKG8ER"
        "n`m7{h-qNUt9o$UOraOd8fRq!H=w%ul5auqni5oHT^K{z@C#b;q&kFDVa@8(XsC60okyakp3qH<ayEV$VsC^;c%|DAClZf9taw?f"
        "4aqf%%HH)Ej3e7(#9CXXK@}{zXssC0L#n20tr;%SdKo!MRD%?I8`&*`W1K{rRD)`|YB{lcc1};FQ+BoUrllH=Zec)R6;Y1~<>bc8"
        ")mFV!iFS*F+dZh?db1HlHx?a5DK28oe3vNVTWmIKZ}`8ZAas*b2t?Ob=&55L;w8Atl0}lE#uL!ZMdz<#6SamPiM>gCJ3^RJy+%1#"
        "u4C@lzQjqKohUV>Jd(&SI9g3{ZPD#ZciMQrJ2aem6JZjWZ>T}BpY04Dv{f(^$>EI1QTdJd-)2efee~M`R;k8*<m=Om_USK30{cqw"
        "sr0t<7YFoLe0^hQDZS2i0G{{4n<g2*;JqAeh3@@Gb(ZkB?x+6tqdaR1TXbxrA7)2}pL{-j(`Hkb=C~V!_oaLr5`s+IbLvd-S)HoL"
        "dUAJ~e?fhsOa;mf$yqAV$+_R)m&mW5FD0eqVAOvW`>`Y3MB$!7(yiaEQjJbzU4kd<6LNh^xI%P8=NkE*#?SUNGP|jR0(CQ>=ZEmz"
        "q!Lau-K2p+N8^?nzl{mTP04iG(Op5~KumlI>RGjmW#=1a`>uyRm+4walYCzK@|b0TQ2E{Y2TvGr7btA-D9B}{QP@D|sm;fdT<(z^"
        "qy9roH_|poQn%&;zPD6Rsk#HXGU_}dNm}WelrUw{*mvYIO4SZARg^kO^jpA*m)zZNXz<-(oS&qRJNbQnulF+l6o1{)A8dR18r?kf"
        "+1Zt79(@tN;`Kk{e*jr5mv#"
    ),
    "sc=common": (
        "c-j?^O-qz<6vg}9d!Oh3yw6OHildH`F;0Pll8b~&Mi6GxLIp7lqD9mf@B>WI8`VzQNDEPec0u$3(yas$1tl)syHMN-{e=Su4wv8M"
        "oJ(`Hur^7FV1Q9}wG{+XT_Yw0&dpna(%>V!FrFd*Vm_#C3CF2+WgmebF*)wyR)v>gCM%?xQZ6@dkNYTOh{_GMji5j6+jKoSHF-<V"
        "9*Vu!KL2L06q!8`WmVQGH^yV8I-`q|-2cq?=}zw}V^8!G$ti5YJEf3c+sIFn{%c&p);*%(TcinX={Q^xJQuaL#tZp$`-q{P6S2ek"
        "Ir>e*0W`Y0w07r=q$RUjiNw`yX(5&7Y&EN9EAilKmgyqmB}V4qjyX&s@52}YsN;{YBXYABj{F{*zjt>pn6SrLNlJdnX7YtwH6)*~"
        "*hvv?aNwk(xgKJf4cknVgx90GWF|%2`YTZ(xpqDEGP!1fuk-ZPn<?s#{sUITJa+"
    ),
    "sc=latin": (
        "c-nK6Vw2Km<Y#0RXOw3=$gIvf+eD4ckd=j%m(k6!f$1X?BQK+XKo=tu8>2L%pyqW^g+*T()0l%<82R`&uxT@LGO{o+O`6ZhK8pir"
        "(oz97MlD9Z1M8TZ82Q-E)R?#d<nItT"
    ),
    "sc=bopomofo": "c-ni#$}}@ZyFdW|4Rr#d",
    "sc=inherited": (
        "c-jF}0IUCi25^-E0>lFg8Uf%11luA(-va{y4FLxP0R{mB0>%MAj06J00U@~_1Zx82ngb9J4$lVx;sF8LAOXbp0xkj<-~$3a0}%)U"
        "2Ob2i0Rp4lFz^9Mrxcn"
    ),
    "sc=greek": (
        "c-s5G#=^+V#KOo3M2w8gKrF&&&nK|Vh}DRdg*Aln0FxLK8<QFkb1*`HJd-ISKO-L#8>282Gb876CdPeJm>6%ZX7m?iyuX0iZLKsD0Af1}G5"
    ),
    "sc=coptic": "c-ni!&Nm^jgq0lt4ITnn",
    "sc=cyrillic": "c-m{=Xk}zt$#_AJdjTV(594zMg##ZL6Z+OOGBq4wwo_yT0HNgx(f",
    "sc=armenian": "c-q^@rN(H{{F<2+01c7?kp",
    "sc=hebrew": "c-ouDZOJCh!nWcSvlJsMBO@ad5OM(kDxw0(",
    "sc=arabic": (
        "c-m{=VP#}v<YQ!JRAA)dmSW6dR0=Toz^KIP%_w`}3G+K<rU{G+0tKv$?TnA*<ek|V)ffdD_A#?CN;5Jsf)E!Y3nLJ)K`2I`K@f2m"
        "0P$ED*@4m^1ze1Rtjvt8jDjXi0Pv3s%K"
    ),
    "sc=syriac": "c-m{=<72d8VxGXn4FCx|0ek",
    "sc=thaana": "c-m{=Hv#|w(*VK",
    "sc=nkoo": "c-lL_Z_UIE00g-K5C",
    "sc=samaritan": "c-m_a&|~5U00UwG&;",
    "sc=mandaic": "c-lK4Aj8B600dqD@B",
    "sc=devanagari": "c-m_a3S{ADl6tU@Nul8hBR2pb5(Gm",
    "sc=bengali": "c-m_aW?|%DVqy|wWM^b#W?|w4vROD7S(q4EnIu0hXJG;WAszy;",
    "sc=gurmukhi": "c-m_eVP<4wVPX<vWM^aoK_*5<Rv@35nUS4^k&#^x02)XE3;",
    "sc=gujarati": "c-m_eWoG1LWM&j&WM^bzWM$$4vYD9}`B|8F*x3OWaRC+",
    "sc=oriya": "c-m_eV`k)FVqy|wWM^bzWM$$6vYA;~SwL(d02f&S4*",
    "sc=tamil": "c-m_cXJTYyW@cnzW@2PyWMXDwW@hGLVFif*B^dcck1l61;$;K?D0>3K",
    "sc=telugu": "c-m`_;ALcH6lWA*;snwx>`XwCiHU`Yi=7hy7bpQ4",
    "sc=kannada": "c-m`_<Yi=L6ldgOWM$$6vRK%eSb-!H7b7zO7UuyD",
    "sc=malayalam": "c-m`_;$>uJGzMZe76B$H01QO|8v",
    "sc=sinhala": "c-m`}W@Z#(mSE&$WMpDzW@KSwWMt%E<6>fd)6OCS03QGXoB",
    "sc=thai": "c-m`}v0{}000Yhd`2",
    "sc=laoo": "c-m`}WnyGxWMz~9lHyFPK$4x2i-`pQ5+eZq",
    "sc=tibetan": "c-m`_^I%kAQD;<P<Y#1OVFCaVashe",
    "sc=myanmar": "c-m`FSipE-6O(+R!i5`*A^<0-1rq",
    "sc=georgian": "c-mW_sK&_1%E+Y6$TC4(n~C{=0+<f~C`khc",
    "sc=hangul": "c-m`FYG7Jt!_>$WS19i&|L`rNY%}YUa2|0M!zKRm%xp{`$P56^;0W0",
    "sc=ethiopic": "c-m`F@nmFSVrOIolA1uQ2<P!LS^`ODCIx1xXU5{3?2IUI(Jw|eCLjcfZ~V!^&d9>Z#K;c-{9p%9",
    "sc=cherokee": "c-mW_9>&D>X&qAl01t};7y",
    "sc=canadianaboriginal": "c-m{wXkgvI;<l@qMF0R6k^^}",
    "sc=ogham": "c-m{wl?4C+`T)x",
    "sc=runic": "c-mW_>&?s!00hecCj",
    "sc=tagalog": "c-m{w6XRqA00WW$&j",
    "sc=hanunoo": "c-mW_Ckg-pQ~=}",
    "sc=buhid": "c-lLlCjtNhvjGD",
    "sc=tagbanwa": "c-niQ$IHmf$OHffjR7M",
    "sc=khmer": "c-m{wk7MFu<9f!d000dM0y6",
    "sc=mongolian": "c-m_)U}9oq6k&^G*WUV@nHK;Qq5~W",
    "sc=limbu": "c-m_)l4s;$;bCE9<^cc+YXJi",
    "sc=taile": "c-p&QB*(-G00lq+C;",
    "sc=newtailue": "c-m_))?txi<7Q?800=Mv6a",
    "sc=buginese": "c-m_)kzry200XZ8)c",
    "sc=taitham": "c-mWFV$Uec#LdRV#s>flkO5-",
    "sc=balinese": "c-m_)^JO#w00ejeHv",
    "sc=sundanese": "c-m_)cW7YZ000K10fG",
    "sc=batak": "c-lK)Zo<I=00mJ2H~",
    "sc=lepcha": "c-m{QuwdqAW(EKTF#!n",
    "sc=olchiki": "c-p&QVE_OF69G8",
    "sc=braille": "c-m_SXkY>W1NH$^",
    "sc=glagolitic": "c-m`-NLcWkjh#`DiJg&&kre<V<^u5",
    "sc=tifinagh": "c-q?#Wx>wG#|QujN&#B",
    "sc=hani": ("c-jF%0KNZ!T^a#d4AucJ0RaIS2@V9r2f#BxfTRI{vH|V_0&0lr0RjvMiJ$`D%>p2wA_0yq0<k&|?gXL}o&@3x%O(Y?LU6PcU;"),
    "sc=hiragana": "c-lLd5XQ#*@E_}ZCT2!HMp@>yjf{){MO_7H",
    "sc=katakana": "c-mW-7{$c=fl=TBqdsFq-wb9hM%_yfm{=Iu8JQRv=QA-gvg$DMu>t_X`v=S",
    "sc=yiii": "c-m_?z|_mhYz_blodOd",
    "sc=lisu": "c-p&glF4AhS4Ktv5~Txk",
    "sc=vaii": "c-m_?#k7VA00#{L`v",
    "sc=bamum": "c-mWVmMNm6iFqdr02E#Wk^",
    "sc=sylotinagri": "c-m{Yz@!TR1f>Ch",
    "sc=phagspa": "c-lK~fyn{@1+W3j",
    "sc=saurashtra": "c-m{Y$mGVs0{{pS0j>",
    "sc=kayahli": "c-m{Y#H7c_2mlAQ0fh",
    "sc=rejang": "c-q@=iAjZ<5da9w0kr",
    "sc=javanese": "c-m{Y%;d+!#li#t3y%S|",
    "sc=cham": "c-m{Y!eq|L$Hc|N0ss!V0k;",
    "sc=taiviet": "c-m{Y%H%A;3IGT-0k{",
    "sc=meeteimayek": "c-nh#l}Y?0qaG6%028tT(*",
    "sc=linearb": "c-m`dVBukuViaa%V&rGyQ>q346Pp46",
    "sc=lycian": "c-m`dWswB{1GoVv",
    "sc=carian": "c-mXg%3=rr1WW;2",
    "sc=olditalic": "c-m`dV^QH`1^@;%0Xq",
    "sc=gothic": "c-q_0#v%;>1bG2g",
    "sc=oldpermic": "c-p(r#-a@X1qlI$",
    "sc=ugaritic": "c-m`dXOUxM1ONsW0W1",
    "sc=oldpersian": "c-mXg&Z5G?2LJ~90b&",
    "sc=deseret": "c-m{|U<m*K1M~r1",
    "sc=shavian": "c-p(r!D0Xa1rz~|",
    "sc=osmanya": "c-m{|WRYXy0ssap0XP",
    "sc=osage": "c-q_0$)dud0ssel0g3",
    "sc=elbasan": "c-m{|V$lEq1JVIE",
    "sc=caucasianalbanian": "c-q_0#bUzE2mlA00e=",
    "sc=vithkuqi": "c-s5W#lp?V&&bZm#0aGU9SQ-=",
    "sc=todhri": "c-lMA&0+!o1mOXM",
    "sc=lineara": "c-m{|VcE{aDaOSC01ev#`v",
    "sc=cypriot": "c-m{2z{1AF$f(1}#LURV2mlaG0aX",
    "sc=imperialaramaic": "c-lKKfkljw695OZ0d)",
    "sc=palmyrene": "c-ng~fkgoT1zZ7@",
    "sc=nabataean": "c-m{2$Rf|d2>=FR0Y(",
    "sc=hatran": "c-ng~kwuu1iIo)q3y%So",
    "sc=phoenician": "c-m{2#3IAY2ml640XF",
    "sc=lydian": "c-mVqiA9Q)5da4X0ap",
    "sc=sidetic": "c-lKKiA4$k1l$2}",
    "sc=meroitichieroglyphs": "c-m{2%%T7Q1LXlY",
    "sc=meroiticcursive": "c-mVqnMHy{gh>wo3L62K",
    "sc=kharoshthi": "c-m{2!otGH#LB_Q%qYvm%)-Ua2>=y#0df",
    "sc=oldsoutharabian": "c-ng~g+&1X1!w`8",
    "sc=oldnortharabian": "c-m{2%Ax=O1M2}g",
    "sc=manichaean": "c-lKKl|`L}2LK2N0g(",
    "sc=avestan": "c-m{2#$v|I4gdzT0b2",
    "sc=inscriptionalparthian": "c-lKKjYW)!0{{oo0eb",
    "sc=inscriptionalpahlavi": "c-ng~jYXK10{{q*0h<",
    "sc=psalterpahlavi": "c-m{2&LYIl!ov;#2;u=u",
    "sc=oldturkic": "c-m{2!Qu%31RVip",
    "sc=oldhungarian": "c-m{2$zsfF%+3Y?3NHbk",
    "sc=hanifirohingya": "c-m{2#iGH%1po%B0a*",
    "sc=garay": "c-lKKi$#rDmV*fZ3yA@*",
    "sc=yezidi": "c-m{2%c8}|%)|r$2~Yu4",
    "sc=oldsogdian": "c-m{2$D#oM1P%d9",
    "sc=sogdian": "c-q@Ak3|ar1keF}",
    "sc=olduyghur": "c-s3gk3|Xq1;7EV",
    "sc=chorasmian": "c-q@ApG5`$1jPYx",
    "sc=elymaic": "c-ng~pG6!11%LsY",
    "sc=brahmi": "c-m`Nz~aZE!pR5#3Y7t+",
    "sc=kaithi": "c-m`N$l}b!2ml8e0dx",
    "sc=sorasompeng": "c-p(LkVTT63jhdy0iX",
    "sc=chakma": "c-m`N#A3=Q1ONu}0dD",
    "sc=mahajani": "c-p(Lh(#R$1z7=}",
    "sc=sharada": "c-m`N%#zR`%mDxjn*t*",
    "sc=khojki": "c-m`N!Xm_|4*&+S0c!",
    "sc=multani": "c-m`N%EHdb$jHLT&&Uk`4e<d~",
    "sc=khudawadi": "c-q^rl*O8r3jhc-0i*",
    "sc=grantha": "c-m`N#=^qL!NkNQ#>mdd#K_9T31l-fF|skTvNN$WvjPAs#{r-",
    "sc=tulutigalari": "c-m`N&cemW$i&E~#t5NVfHV^a696D30gn",
    "sc=newa": "c-m`N!4kvB3IGRr0gn",
    "sc=tirhuta": "c-m`N$>PDm1po(C0f+",
    "sc=siddham": "c-m`N&0@x+1^@>+0ge",
    "sc=modi": "c-m`N!{W-#1po(O0gC",
    "sc=takri": "c-m`N%VNdG1po&-0ek",
    "sc=ahom": "c-m`N$0E(d&ms;03B3V&",
    "sc=dogra": "c-m{&z+wXc1Xuxa",
    "sc=warangciti": "c-mXAktLXi5da8X0k!",
    "sc=divesakuru": "c-m{&#KO+R$i%_O#3;we#KgnN1ppUx0g(",
    "sc=nandinagari": "c-mXAnT3N%kBJ)q3eEwY",
    "sc=zanabazarsquare": "c-m{&!r}n{1aJX?",
    "sc=soyombo": "c-p(Lg(VmO1-k*<",
    "sc=paucinhau": "c-lL#mBkVO1!MuU",
    "sc=sunuwar": "c-lL#okfX{3jheU0k!",
    "sc=bhaiksuki": "c-m{&!NSR?%gDzi3jhr#0jd",
    "sc=marchen": "c-s50gGGT!jFArj4Wa?`",
    "sc=masaramgondi": "c-m{&#lp_W#Hho}2qZZ<xBwNY0hs",
    "sc=gunjalagondi": "c-nigi-nDmiBT1Z+1R-N7ncF)",
    "sc=tolongsiki": "c-q^rn?;9(3jhdn0jd",
    "sc=makasar": "c-nigmqii)1>6C<",
    "sc=kawi": "c-m{&$0Eq6$t(*13P}N;",
    "sc=cuneiform": "c-m_?z%q+H?FbW3#1ckp03ulgRs",
    "sc=protocuneiform": "c-mWWnq>(i00+(j9R",
    "sc=cyprominoan": "c-otApCuUp1xx|g",
    "sc=egyptianhieroglyphs": "c-m`tz;ca)YqmT95CH=R",
    "sc=anatolianhieroglyphs": "c-m{|U_H(P00u?@*#",
    "sc=gurungkhema": "c-m_?#A*cq1daiM",
    "sc=mroo": "c-lK~g;k!Bi-idQ47mZy",
    "sc=tangsa": "c-s4Lh1H*t3jhk&0we",
    "sc=bassavah": "c-p&gl~s<34FCy;0nq",
    "sc=pahawhhmong": "c-m{Y#_Gn!#mLSm$|?*169ob6",
    "sc=kiratrai": "c-lK~i`5DM1=a!D",
    "sc=medefaidrin": "c-lK~hcy}i1^og2",
    "sc=beriaerfe": "c-mWVmsOHU5&#I30k;",
    "sc=plrd": "c-m{Y$Lh^u$u0;042c2+",
    "sc=tangut": "c-nh#pOsO*!K{HrF}@f89y|mR",
    "sc=nushu": "c-nh-pOvw%nX!i%02KoRXa",
    "sc=khitansmallscript": "c-nh%pOta8*==SOMgSRR1D*",
    "sc=jurchen": "c-m{2!#0VX&lms+`2qa",
    "sc=duployan": "c-m|D!IsU+%go8n#l!*t6}JK(",
    "sc=signwriting": "c-m{&z}~~k&&tRT01fv6?E",
    "sc=nyiakengpuachuehmong": "c-m_?#IDQC$Hc|L1ON@!0h#",
    "sc=toto": "c-otAlwBSG1i%4&",
    "sc=wancho": "c-lK~l--Jz5daA^0nG",
    "sc=nagmundari": "c-p&gl3fb`1=j(~",
    "sc=olonal": "c-p&gnq8ZP5daB;0n-",
    "sc=taiyo": "c-lK~mR+7vjDraP48Q@^",
    "sc=mendekikakui": "c-m{Yz<!jGNdN!~wE{2",
    "sc=adlam": "c-m{Y#O}kw#li#t3#0+M",
    "sc=seal": "c-m`Nz<(eD00#;JNB",
    "sc=katakanaorhiragana": "c-jL100001",
    "scx=common": (
        "c-jq*yGnyW5QRN6v%7yb`zJ<o<4;Ufh*5}mNui(y140@L5yaL)^aZRnps3h+Ys5l9u@uAyP@lj;Q6!Hcb^(_em?`F*`A$zW($NGQ"
        "2r7p%UYTJ524VoTQk33>_G?%01sn)E7MCm!gN}y$z4bzaILFc3TbUaHlSTolF_tTpjc0C5n|_5((3TwXWFg)vBDrS&BJ`EPspQL;"
        "N;<iPRU2iz)EAGR5N+|hL4xk?VY3->=!cwp?V!iidj`g;GY;$H`xo2=KeNt(gQ3-(`9IhyH8>TJDaq<eoGOj9OS|=gIl>xRAo5M("
        "6T^cyAr$yo^kB-zHuxmm5ly%Cz{l{?^1_>{$)-zE5=m6-BW5B{Sd&;zU*X44ibL)|oD^j?uzEBokrPV9s^1hODCCy+>_f;-dHC(a"
        "<4Ke@{sC~aF#`"
    ),
    "scx=latin": (
        "c-jrkJr2QO9DwmW|M#m!`_>?&9hjP65R0T^7qi42oC9$JiAXFaiK(u@>H@A{bp!AGB)_N5Z9b!eVEPPsDMbqu#DF!04+XEBASDK!"
        "oJ8KS+&zauY3D|pgk^=>%0sA0$g&lcSPHu1Pj7Tqe1AmwMy)leZ-kwm23(6AueeJT{<q9BA$>M#PwEz>wExe86f^"
    ),
    "scx=bopomofo": "c-lM8%E-vf%P7D!HHw*qi;<U$g^7`k@h~GJr*?rt>r7^*Sxl?|Sz!fb",
    "scx=inherited": (
        "c-re{V`O4v<Y#7QVq_8kGKCmf8CgDXGu>8lyvS<C$jHdr!@_ikQDMR^W&r`d^X!aGvzYam#2+v-*)a=pFtN+AtYu_ceAnOuBLJ&e4j}"
    ),
    "scx=greek": (
        "c-q^}$asQ<iHQ*exES>qnHaS=m{=GYSwI5JKrF&&&nK|Vh}DRdg*AkEACnjp8<QFkb1*`HJd-ISKO-L#8>282Gb3jl;|WH_eN&hi"
        "Z>?tZ7i7G@fZ1)WG!p>ffDEt"
    ),
    "scx=coptic": "c-q^}$asQ<k(r5+F^4IKZ$e-REBkaN#uF=<WdKXw1_1",
    "scx=cyrillic": "c-q^;%IM6@2nI}ytc>p%H!xk$<6gkX=)+jg_*`DWneoqi#)Q80j7$wjnC%o90rF}K&H",
    "scx=armenian": "c-re=V_d<a#%R&}nwb><6Tkxz",
    "scx=hebrew": "c-m`cW9neFWRqrLTk(onijkF(k&y`qxd1lK14#",
    "scx=arabic": (
        "c-m{=VP(9|$fy)x@PSc@)tgcFydL96X~w=;%nhsx0tKv$?TnAvWuA!1JF_vWF$y&7V`gELW@KUnAudK1Mj&8=P>hVsP;nRl@mLty"
        "fzluaT#SOO%#5szf+kD=kbezJ"
    ),
    "scx=syriac": "c-m`bV`5@rWRzfLXJTZ!#mdMB<S8(6aZ54wGx9OoFfmVH;_lUEWMl*YP|O51",
    "scx=thaana": "c-rgXVdP_CVszk|#$<Hh4KpJbBLE)q1AG",
    "scx=nkoo": "c-rgXVdP_EW?aB*&BVO#6*Ch67p((5",
    "scx=samaritan": "c-m_a&|~8N<jn{G2|of3",
    "scx=mandaic": "c-lL_!}y<BhKUgX3&H{K",
    "scx=devanagari": "c-q^;%6OP3m`VGBnkqBXH+IJTeN0@-7!?|xFmeL`ZBz%q",
    "scx=bengali": "c-jrdu?c`M5I|A>&jrsSg^i%S8w)Pu5{{7(Y{c-IcUR8l;vS^BGC>LF@km0d+j9U4IY?l6FZnwDqOk_8",
    "scx=gurmukhi": "c-p%t#3aZxn~|B3jfIIxjFFv@2?UuK8CijRW@biq7Dh&P!JWIAxByKR1B(",
    "scx=gujarati": "c-p%t#3aZxn~9l`laZNGjFFv@iIJ6w3&>_>V&rFG;$dgsu#1Tc07gRtiv",
    "scx=oriya": "c-p%t#3aZxo0*xBgNcbrjFFv@iIJ6w6Ub&}Wn}@eg&rv}iZcQLNJRrH",
    "scx=tamil": "c-p%t#3aZxhlPoejhUH|g_((wk&%g+iJ6(1hlLd+0+e9n6TPp<IAaDAWA7E9G^06Fv!oF(BLJpy2EY",
    "scx=telugu": "c-p%t#3aZxmxZy0mywxKoKb*@6G*eLGXY5^CKe_xcFwB`OpHJv&IkZz<pZh",
    "scx=kannada": "c-p%t#3aZxmxb{UBQGN}qc|fMBP$apkj28z#0n&txEPu5$TKoBu>s{68Fx=(Vgmq}U<HK",
    "scx=malayalam": "c-p%t#3aZxmxb{U6E7n(qcIS(u?R3p-I8MzXWToDi5UQ0WCel",
    "scx=sinhala": "c-ng+#59|OnNf&Yf{~Mvk%^s|k%f(sk&%Oqi;4NKEaSVE%pw3y#RVA",
    "scx=thai": "c-q^;$|%LC&8W+GUet<J1^^Sv0(S",
    "scx=tibetan": "c-m`_^I%kAQD;<P<Y#1OVOs0J0st6m0&4",
    "scx=myanmar": "c-m`FSisn~k%@65qkN*mg&T|_05g9DlK",
    "scx=georgian": "c-q^}$as;HahjMKBO@y#lfeXWZ6@Yf?2Jn#!2-=pi~wxU1&j",
    "scx=hangul": "c-m`FYG7)#VP@fC<mF>#V?4~rXc|{2?<oK9Eu(BR>ymIDaTddqK1{QiSgqul*_c3(82~LG3Re",
    "scx=ethiopic": "c-re@WBe%V$;iUQ&d3NPHGx<W&f{ma1d`573d~Z^jKw+G8ByS(UyN)_KnN1w_>+a5k%f_okskm{;s{O",
    "scx=cherokee": "c-m`VV`gMzV-jQHW_qU(#>Dn%9a8`RA07l3",
    "scx=runic": "c-mW_8wmgcmH{U",
    "scx=tagalog": "c-m{w6XRqQWdZ;NTma?",
    "scx=hanunoo": "c-mW_Ck_AtRsiM",
    "scx=buhid": "c-q^l$HXZD00eRY0{",
    "scx=tagbanwa": "c-q^l$E3;2$jrzD00}GsBL",
    "scx=mongolian": "c-m_)kYbBu*KXlwyeQAa%5volGcN!v3<R4",
    "scx=limbu": "c-ng^#5hY{o{@)zhlP=u2LKmJ0s;",
    "scx=taile": "c-m`VV`61uX51{r)g~mz#0mfsNdhP",
    "scx=buginese": "c-m_)kzrz5Kc9&a01Kf4CI",
    "scx=glagolitic": "c-q^}$atECk&*Eq6C)F2BNO9CF~)mxj7!B69y2qp{=mpM;WG<6qaYJIP?i+{|3nIF",
    "scx=tifinagh": "c-m`XV*~;gNyeTK3w9<xMgS1-0ow",
    "scx=hani": (
        "c-q^}$ao@JiZPPs8l#i|BQql}2r@CUaqebhoWdxepvK8)pkZOi&tuFOA<4y>AkTQf*r8zwV*?+@kHw7dn3%F&voXzLV*T@gk%@=>"
        "<uOK~d$vsLq#vARQkbvA*r&_1(Te{a%Oc@<ERVQPtFf+f0sw#m9n="
    ),
    "scx=hiragana": "c-m`BU}oWB<P~6JWMpAt4rAhoVmdL4nQ0aiD;J|K)58Z$^O=|#`50xH*ETXT0sx}A2j>",
    "scx=katakana": "c-m`aW0YmQ8_CSV#mFnb#>mLR6wSh%@PSd_0;4`-#M`ONOtYBmFFaskVPt1yVq~1p#LUR5!^p=905cm3Nd",
    "scx=yiii": "c-m`BU}EKB;<(Sq*m94tmy_9i)>cMV066jmW&",
    "scx=lisu": "c-q^;$|%6NCyMFFOGbkYUl|zzE5-$J",
    "scx=sylotinagri": "c-ng+#MHpZHDM2vE&vh%0{;",
    "scx=phagspa": "c-m_+U}9ukDZqG1o^kI7MhgHQD+Ea",
    "scx=kayahli": "c-m{Y#AE;f1g-&v",
    "scx=javanese": "c-m{Y%;d+&&B6o#3yuM{",
    "scx=linearb": "c-m`dVBukuViaa%V&rGyQ>tcVX3=Hl1OOmz0!0",
    "scx=lycian": "c-p(=z_|1Xvn&7%g#x7",
    "scx=carian": "c-q^}$hgR!k%{rLG~>G!%!U9Vrvz9",
    "scx=gothic": "c-q^}$asc@iHT8z@!x-DX#g8Z1Je",
    "scx=oldpermic": "c-q^}$asQ<k(HT?@jVmcnZL~103|R4g8",
    "scx=shavian": "c-q^}$T*{&#Q*>aKmrW",
    "scx=osage": "c-m`ZV`O4vWAtIX-o&E9q5=RD3Id4",
    "scx=elbasan": "c-q^}$at28@mDj81^^P812q",
    "scx=caucasianalbanian": "c-m`WW7Gk{i_I)1+>8JcbOL?",
    "scx=todhri": "c-m`ZV`KtCPDVyXFUE&0EG7UD+ya9",
    "scx=lineara": "c-m`kV$nUrxt)nqjEe&R87Kn!",
    "scx=cypriot": "c-m`dVqs>{W#&A<%f`gWsKdy_%*ezD03{g$Q~",
    "scx=lydian": "c-q^}$oMmg@!eKtDON@R9nS;Q",
    "scx=meroitichieroglyphs": "c-p(`z_{oVvjPANy8^Z",
    "scx=manichaean": "c-lL_!}!00MV*BQ01#^ekN",
    "scx=avestan": "c-q^}$oM0Q>D*3cGiG)G9d`rR",
    "scx=psalterpahlavi": "c-lL_!??eTMTnh+haCVDLjp?",
    "scx=oldturkic": "c-p(=z<5=f@%(OPPXHGT1LF",
    "scx=oldhungarian": "c-p(=z{tdSS(=fbao-+hV_su+HUKS+1RD",
    "scx=hanifirohingya": "c-rgXVdP_EW>jFD%*eR9hed;f3ji720@w",
    "scx=garay": "c-rgXVdP_EW?az6qQ)%C!2|#k{{k-",
    "scx=yezidi": "c-rgXVdP_EW^~}1Hi1Qpk(r4J02iYIQv",
    "scx=sogdian": "c-lL_!}xw8ixvP2H3ED",
    "scx=olduyghur": "c-lL_!?>}Nh4C+k6aW)M11t",
    "scx=kaithi": "c-ng=#C6b<@!w}gu45M%ow*nRIjIHj",
    "scx=chakma": "c-ng=%yof>Yg;3WDWebo8;b*N",
    "scx=mahajani": "c-q^}$hbz3=fGYju4$JT)d3>|1e^",
    "scx=sharada": "c-p%t#Mr9N$jHdV#Kg$S$i#SP8WS56<MB(32@S#=086k1pa",
    "scx=khojki": "c-ng=%5`8D6W6iJj6#h103@>nXa",
    "scx=multani": "c-ng=!Zl$63p*ntBMT!xBR2pX;Q~_",
    "scx=khudawadi": "c-ng+#B^#e6W6yZjMl7N045&<p#",
    "scx=grantha": "c-jrdF%Ccg5CFmKo^zs*P>4$6r+(mVYD#ZVGu51vqk9hb2Cfml#qmT#r_L0T^#4OzvaHB!5kB`X29p",
    "scx=tulutigalari": "c-ng=$<?I5$jG>R8WY=YM#jFYj9iS2OpJ_bP?`luGjT8h0HLS_i~",
    "scx=newa": "c-p%t#MGqD$jHRW$i@f)lio4MFtP#wDvAS*",
    "scx=tirhuta": "c-p%t#3ab{UX785k)LtzG$yWNHyAxQxBx$=1%v",
    "scx=modi": "c-q@=fr;zbZAMpaE&v#A1Bn",
    "scx=takri": "c-ng+#B^#e6W6gjj8<%103{{_c>",
    "scx=dogra": "c-ng+#B*RT6W6i(j5YuqQv_}",
    "scx=nandinagari": "c-p%t#3;nnz|Qqko{@u*opI|lCbn0P7&(~qn79F1i3S+",
    "scx=sunuwar": "c-m`VV`60FWMpELVPt0P+sLBC#{~crlL9s",
    "scx=masaramgondi": "c-ng+#58L;3p*ndqYg78kmTgx0stt10+;",
    "scx=gunjalagondi": "c-q^}$hbz3>DO`=Hby2!RUl?#=K=sT9Rp|",
    "scx=protocuneiform": "c-p&gip89jiDwfd01&wXoB",
    "scx=cyprominoan": "c-m`dVqxlwO$Go7b^=!",
    "scx=gurungkhema": "c-ng^#5ij`s}%qXbOM0",
    "scx=tangut": "c-s3AFYun3@xyNxM)?M_1{THmVgN>y29E",
    "scx=duployan": "c-q^}$atQGiIGu)X?hsr;n{52th~&e>|9J707$q5p#",
    "scx=toto": "c-q^;%6NG{yF3631Oj^",
    "scx=olonal": "c-ng+#Pn(hyEY3W01{;a(f",
    "scx=adlam": "c-ouK!>GX6XTtbVnsMJ(HXjx)7A62QIRv)",
    "alphabetic": (
        "c-m!DONd-W6y@A|>(%@Bd)+hrx@Y<`pUya+o|%k2naL!QbS6JTge*d0BB&^sfQm-UE*p`cNQ?^?Stv#j5flOu0x`R|5J3q+Br7*j"
        ";!4R%T)6U9cOs~-Uj3_1o%`K0=8Y{QguoPN<2#l(H5R~eG|M0ozynwpMsO4t;C}|pfV?@P=~P!q3wz@t&B$zrO;5oWUpQn!wl#U7"
        "HW?^{sZpg;w~?vATKMx}%+`AX8CXh51wIi~p^vh#8x!C|2qq>a#_(jg@7^LYI#W!m%yKVc1j=r>YuJs6QIb*7dk=Bl&Hz`r=r}<}"
        "@R${voCHkF9E;Hv{XNVkic%nBUwggiFi9E$f3O}pwBe3XjD%x%evSrffDvn|o{q{~Q*I#Zs{-MdDcNDHhn{=Wpr&mFOvdRql?m+j"
        "(UFQ|=<HqBTPEv=LNo3tE#MZZKAcsA=Cn@!Gb>?3+r3+|>^OP+yHJiXbC@GL5{<?q17;MjQYBRb?>%W3%z?0tSc0NOChE%AT0?fz"
        "$fGDI;+0jD;P>W9!Y-n8y~<&SBC|j|CrVQFYHp%36<s3oXhy4#;n${Z1M4v?3we^LUhG*UDCN)VyJ|$R@rGvwk($s5^0_PC>ZSBo"
        "wJuXU6m+{qRs<IRE)&bR!(0!nAtT2<##0cpfM@cFt=SuLv)8|P1$&q1B5@Yd$g=VIwMPOvO-BXkC?;#G@jjrd_rT$#nNFJALtH|Z"
        "g$C<ES}u6MV^(9zNFq-K^9CFikgCs|8~yajxR90eoA-%coUySnv5ICM`2Ne2zfrkQYqRlLgSXMqaEeay0EBot#+X`}P@;6|-2QDB"
        "sL3nK6G_V~m=<-!hnc^Oaz{Ec>#xR<>fd?mgPvF8>l9Q&zvf{cY2Q=N={hq|5f(vvj{=9)P#>Jx?onU$Y@7===bPM|_R$z$)7?r^"
        "e&x`5FX<(-Qw=p>@s~oW$7kyQQB^RIg1H&Oug;g3M#qcbz=8=k0wndKmy18G0oI2E&WM;UV@g9ub`6|QS%!9_kpIV-iy~tip##@!"
        "G3>=rR|z(iq>OND)5ZB$SR-5argpm=vvZAbaGcUndjlJ%`)v(9^)W&V4pg4@X^EU0(Rh!-{BeWwp&ZBj6O-)#i_QaATFN6m<d}4M"
        "AelC#>LYB?s^S*i5xS2e$T7$KDvo?$Pn|Khp^AQ|{9Ng(pL_KW+vZ!jv2FQ><c8RGek5;|w`S5FHI=Kp_#^rgb*gs{%ZAPSDnM+5"
        "pEf#E&%U0#Z`0mKkI6s}pHqOQW*1GR@ACQbOD5sKhJv4$j^UtE!XSmkDvQM)4PamUhReaK28%m{x|a5Ts(&qg6RBO>ft&`)HoGQq"
        "W-+uGzNS{WdygCU&?4N{(^a4DDyBH!!#CKu&*i3TfneO3LVuU>;c|}*<B}h&Km6QG1_<szh+JdZApb+u-@LIu8+UKf#K%*3Z;`&-"
        "QMxamR4&Ue(f2dvi_N#L)6Elq0~S<>0R"
    ),
    "asciihexdigit": "c-k}IVrP?L0{{WQ0B8",
    "bidicontrol": "c-ou8!}!sdNs85+1pp6H0xA",
    "bidimirrored": (
        "c-mEuL25!#3`Myo$@}kr%d_~4I8bmXh*QBWxT->z(5ZAFZlDVgyOA!W6iOp>Qo@A<l5=l1%p@&StJF?Y{Ve^naT*!e(|DIY<W@|E"
        "xjeVzeMqzLo*b&yc&LXl=mUJgWA!IGuC*P73t4!WwO5-{)T+AV<q<>z4Tb^_qx=p`c~ES@1kd9nZmHU&XL2G#ShmmT#obV5WZ2f="
        "VgvPhvJ#y2@2y1g^=9@x)#0yhr7KEP{Q|LX62<"
    ),
    "caseignorable": (
        "c-l2nJ8M)y6z2QRnYnZC-KS<ZFS8^u#w41UL@~NzGzvZ%k)VZ&55%MpENlc7@r9Kjg3m?~#KKCkm4G&)jo4TzBKZL#SXe0HnHBF`"
        "c6MjZcg}ad@9au=<X8@1C)7R_<WG48r6MKp3(0%XVHI`Mu4zj~kozo$p|V;9a{(E&&n_F?hw^4_8PL(ON>(GGONX0NF>6prlCg*~"
        "notdBW0zIh80(NCXi$*H-wsx}jdc%;WQ4+L&IUH4fJq1}pE!Xg%-Pe5@o;S8GH&F*%stqJM1X@}lBdVPGzF5~>_&X1O0XI($3TjC"
        "H89Ces#LUSU%fFrg0Cts66s;X)>a}3U@it5b!#!hew-0y3NN1wVHA+W#0)+oRwB%lbsQFL?@(G`uXPC7U;)NSnt|NvX9YzhvAS?_"
        "OA-BZ3-L0SVq7e^z$}XGCY-5jvE}M`-}QE$mJ3GkSnnEq6bz_1hr|A`-2DP9rv3(TTx0w)-OEz{9<<B63WKSp=rkAafn7_A7z~~H"
        "n2aN8Uqy}EylKD!f?1kltq~!eY2S@fYd_&qIcszj&mRJ}P+ic9pit?zv!}89|1-1(quh>~TvjXsci^rCj}eq!t5`2OB#I~Cg6bf;"
        "OrMuzhs{NAWk)`t=dr##Y<gxgVYFhg43je85T;S!x-?Vbs2Cgbh<IQmL(MD~tVqP|@Wqz7CGHPV=639}0Wt)?LA`C=@xrht(Mo{1"
        "xGUUM^O2Vr2Msq3U}wGAkf#k&>M3J36K^ckQod{TiP<`n=*&4U@$X>H?}`O6gF3FzW^$c*5(#`9uKM!Z0|k*+OWmd<)!!mRToi1n"
        "+DNg;-xt;3eAsEdejXTO`&Z$#q!lI&y$z}Jad}E714^hnlpkbGR9mH;o9@FSl)e+2^_RFm;Exs+GdRTuNlt}lHFx>`I2y+;;XD2U"
        "g;iRz"
    ),
    "cased": (
        "c-mc%KTCpf5Xbr4@1H*EqeeWTgbIm}LIqZ1JVMYGLev&WL$AQzK(s`gK|@2d)DSH}?SflVOM6ROQ?H;)o4Vt;<L<cc_j|pnudWhd"
        "aSPO$fVFSPQjnS((6%CC!Gi(j+2exDJ+vS!i(DpJIHZHUbqC^4%Q@E(la5KRM7*>#GR&+l8w9;$2*!%H1*g@J0;STC!b_wx=V!YX"
        "uN~{0rQ9&`<kzp_Pwg4WPXR~YtjyKUI5w7DOYAW(zC)~R`{Nrz-koPu*j=_iXxip5M^T}LzdSLBp-nu_b_?CZBucK6^y7iFQIX2y"
        "EBovq!c=-**#vr6)e%_y{gd(xybBfe`oG9L#}Ox`u-RSP8kM)dips)Qe*lZKC&d"
    ),
    "changeswhencasefolded": (
        "c-pm8yH3ME5Y+75t=A7A59v@`SqMc4gk&i{5dMIguR%0{KcGm`0}Z02N<+y<(59qF&7I>EmJA67kA1dxtlQZ=kMAPALUahp&<wPd"
        "*l9WyLy`7ZMI}$=sr<7-;Q1W{$x{lA;dNXJy@^-AX^~OD>%@dELW{(g`fY1P8APLet6=yKYfoqwG|X{thk(H&^G!G6Gg6DTRhz+3"
        "`*npP9Ek(RB_q<wNf8@2Vx1U&fAFSeoOk+o;q-YwcV^glM*EK@s{Q4VLhSwXceDCGyqi?Rzx5DR?5oS5Hm7k%6}rayZWrlc#YC5j"
        "IfBI8N%|I^+~RnO7zYSI%e~PI_SI(BPsqlD$%p&t*E<kwZBG`<-q9C4?;hC"
    ),
    "changeswhencasemapped": (
        "c-k#bu}T9`5M*ZG+q+zH7ju}?O9F`yPEd$Nw6TyA{D2f<7qGGqh#w#**jk8)h>e1FmUe=_;0L4@E5E=!bzygB*j;94x1*hHL`&$S"
        "#6EgVNWe{zY8Qq;AsoEHY5-SNih4wR1lEj;018;eA~s|N9%l$`SVXJWSpnl*r`-Dk>S?R)4Zl|F3z*$j5+_s^mLdM4&n*PDAPB@!"
        "UF;1#5kf^5t%2}GH?NYJ-7+`|oUrjLa`}x>+B-+Womx|b9yvx1DL>RMm&wW79fF3x2+i|DZE`qt!{a)dCPw`C_jnwSr&*NUWaa!B"
        "<sfJNHHUp+_Sp`ZwDFnl{Q$W?Aol"
    ),
    "changeswhenlowercased": (
        "c-nK6N)=~hS7am)FcIJrqn()v%wlF@0g*r+6HE?_m_cl2Ms|=m6C*+Um_S0zjAR3lJwPK^VEly;^EepUAjUE=3Nmsk1NqniE7;LY"
        "#s&l};-o@|GcnQ@FsYpsQv-SG5^LCGK}I%hCguaQwv#--NqZYOIM}#2fPjq~D#F1b!2t%W+^pOzJV0_KC>gUc>Iw)mZeo+#z-M3p"
        "P2P;)6vf2I!A$$0-~d~8_7iEkgz?C=qjD+p0~bodWr1>-v1cY$G!YhTWey9Y5aTyCrp?P4rH*oHbTF#SVdQ4yXJlt&dc|uzmr-n&"
        "m_oy9Mg<4S_J_dy4Jm9G#jtv&QCJB8Rt_Co"
    ),
    "changeswhentitlecased": (
        "c-l*pvSQSfVB}yV6ENZB5~Z7&3Cv<<WCf8x9uriK1uV)4C0RfWCPEGXnFl9`0GR4H7@3&Bwm|?J*ajwMkaJjpOpqia3y5T5W@BaK"
        "Vp_(?s0}uVnOTTYS{W#e%WhVP4@?XQJByR@$Y5fmF)&pBAj8%q2z2T@koN@`ix>wXU}vSR`J5bVTpU0EA^Dg%zyO$(*?<Xxk%<GC"
        "R5&=efUIjwjEVv*jHlV8j`0~lQ#~|&anT_hIKWwmM-7w=Cx0SMuP`3Dc0&1y6u^a&Zdt&29$Px*M&q+!N$*mOSJ;4&AQNz49wR#s"
        ">q-u(vz!_oj4HE%y7?K|8JU{-jBCYqi77O!W>m12eER^HR-lEA7*@}SGWG~70RX|c9(n"
    ),
    "changeswhenuppercased": (
        "c-l*pvSQSfVB}yV6ENZB5~Z7&3Cv<<WCf8x9uriK1uV)4C0RidOpJu=1FK;s(tb>J9E?mr{VXsp8`uUWW{_im4ggCsvVce?W;Rwv"
        "E~aISjM`v>n3;tbrImrgxa?+yxXr|Xu(LQRj|wJ68UsW16Jpv-%s*J!ngoIFeFq8y0mdT6K?vAcX=^?w2OAd$5I{&iCR0WxPyzy`"
        "1R%`}Of4K7TwwM^CPqa87RJ+TQpflVpa~zE$hhbb4xmiV!pNfrN{f>}k)~G|k6b&UOhpRdLP@+VpsdJ*EirSW@ma7WdMU;$Y)ov7"
        "G64tXF|zZpuH=w9%c;@9s4^R<o1c-Lk*S%_xK?bJm_oy9Mg?ohw-1161zO&SVfBnCV~?;B0MJw)c>"
    ),
    "dash": "c-qrtyu-z4%y>|Sv6X|dQ-IBuQJs;Wv5lFrMS_uuQJ#r~QHF6JGovtLKI4Sh%uK3`T#PFj86N-znHT{!fC@+",
    "defaultignorablecodepoint": ("c-jFo0L=fb0Rf=}0n7yf!WIJ43<6aJ`ws;g1u+oxApx720}$^40iXc^PYI{_0tC+~2!-7+fFNjG4$S"),
    "deprecated": "c-lM3#JG}+u~~?bk#VH}(@{aTovcjPcA7H+07;MrHv",
    "diacritic": (
        "c-lRY%WIQS5XJeOx%YecB_^#x9|=WDT8vPWDhO5^Z38OmqK{P(%tneLRY6cesiq5eiVMY!SSfZd(w!8le}P*O(VZYJ#7#kM@dm^h"
        "=D~1g;G8)RoFu{_ZQ3#<KI)Pq)fWCe8kHLf5Cyk3iP`<o1*}=KbS@jq2DO+}vqE{CBIe4R4)w~vsM*nwz1{pjSx}KXTqPI5W%B-v"
        "N_5O=(olnI;q+cP-xtFUz4f*hYk<dODIaAo#qLDZ3(9P;NrB<?kjBU~spHX1p9?f(2aeS%J~x!D8(3!fj_VP8?zMIC%c4uJ#m{e$"
        "3p~o2(aynnn<r9^A)Z31`>?CfB1eTM*n~UC1)thI^y)dZqvFG`M~x9R`QuqmBleMQIdiO{H!d2c-+z+dlXO%%k&U_ysB%iT0>87Q"
        "c2Td<R1l&!Ha{0==hecvt>0*o8@kQ|X-VM+&tR5rrdc(XI;u}I!B?q=@72PGIW~6rBk`KkitC!v_FYGe+Kv6{dEv~WBvCxzR<J}r"
        "`i)w>@s4;?jJs{GFFsx{>@V)jNl5"
    ),
    "emoji": (
        "c-ke8ElvbM5QX!->TafcdUlgx`IT@0Ho;-mEdoh`;1cXDP@DjRLgG0A2?h&T1PKO%LQ&0Do637tuf9Gc5z7^Un+26u*yb`#^(|HI"
        "VXqJN1fQsoISIs!kmMV}8w^ut5s0-{(_nOCOfJb3y$|XY-HU44OfeDG2}=J9UdfXZMN^ss!JyaNG82D4(u>)qj@^6DPWsknzJ3$W"
        "aEGcUj(E0@c9@~Or3VhQYJ57EaV-{oVs}I8Dr(m?xZ5ccty*V|BCIJc=F8YQaIy9S&;6hVZgoWAk=0<QU?YRoKjbzTTm"
    ),
    "emojicomponent": "c-m8DWMgFIx@^yQm637vE@sAS&zYruGqY~sW_i<NkN^O9RtYi",
    "emojimodifier": "c-s5@oShW_2Dkz5",
    "emojimodifierbase": (
        "c-jriy$wKM6o%0}_q~2TUnE2%W-x(*4RmI)i^d98P@6$*1}&#Q`^*iMzgxyA!?c>kwh=Cr0Ua0Sw74Be$wH+-<aCTYPYH!-VEQlA"
        "qI^&vKlXSDZv"
    ),
    "emojipresentation": (
        "c-j?>Jqp4=7zLU4Z4wiA1%DzT*ob8cMQgE(g|(i;Yvc-ghx8(N0KpSjdJ&U)X5PEi`rr)FIOW><iYbAC#)>o`A}0~JPDpTCu!7!a"
        "Zv`X1v34D7n}j#KK-sB;f*FdiTrEqVQZx6Ji~QKIV>j?bhu|nClnPwVn>xm<dvrr3=@0L?YfZ+3Yv>D`5X}Dph^G+c"
    ),
    "extendedpictographic": (
        "c-ke7JxW7C6h=AU{AA|6$$J>%9|1dwoq-gJO*%Iqh*-OTEWr)fxCp@|2=<n?D)xenjg>|4j+tpL-?`uAJb>qRLE#m)xr)8MrNTYz"
        "wcb6$Cu+!?dO}7>vWBn$hf{I^2&GlcU}RtvEs|5P*{fAB7F4sbLd35xDE=4hMY|Mf)KiHWIcPO=na=)?^y1v6=EmN$nZDJXuiwbj"
        "Uzgrmoer9%iaJvrA5Z#*G0OP76Q9tsn(AB*A6BqvBfA4B6;w?$G@fidxZ;wlMt*H{F*^%M8zvJq{9tS1Pf`;P)4qyVm#5{3hDR<_"
        "cgKxZgFj=|8sz"
    ),
    "extender": (
        "c-q^}$T)+A=^Y#6PG-h$ER3Cuj1f#9SQ+aX4+}9`Fg|8s>|<thVeC|A)Mia*ie;X5kCE{kH{&68Mlq1u97a*5-zyjyCkQZ|=4O;;"
        "WMMqc$+(n>v4rUpGxK>)#sh4OFJ>_^&EaHXWaMKy@raRWBPZh(Hf8{;EgXp"
    ),
    "graphemebase": (
        "c-mc6ONeCE8Rq-Xe;)VTS9SHHs=B(WtK06Ho}TXMZo8eXnM@`fGmMHZoP@M92)ghEx)Ib>c2Oe<BE(1*$|#5k$tETQWOjp?$sz<K"
        "pooeL>eg8bSp@Q(+c=Qis=DXibI$*r|MC4_jUHYq@h^Qkh*J+>1~=f}1;&`1<g4(L_0>(q95^}K!eaqW1UeF6IJlgnI+1zPRb(*m"
        "HF_4v?WnbWdY|SR6vjsx5GIJo9C(INLtvs1q7=S%Y2);0H619L06{x$EYLt7ty!aiwg$Cm;R$&QHLdZMQ0s)*roYY@sF4(g5o1hY"
        "(~|+ev$M`15VwOCCv=*|A{u=}-poegB?qO$6^$@enm?Xqcu<-%h&s<LZPTTP5TA+j$>(All7~>PrjsqYyhlhzLxvJXM_uV7T@_Z^"
        "+#q&`NkzH3sT}A=kKipW`RGt%ErH0tnR7`6QaR4w(yg}|r+NR09hiA{$gEzm=CW^>(?+s(Rl?MJ0w3s6W}=HOx6xhpR+fo+Aug(l"
        "QKrqqtc%Szbl&CWw1}CY2`acUSyhMIQBA-gD`ceNCQT7gZU?coIcHBuo}+|M0WjhA8V-I>?`6ziz|plRcQBfYF-_ApBTKq|rzLXn"
        "2QNckw{!XIYZb#ZVmF(JCtm7K=J7wDrH4cp=5e|B1oLNH3y1ocJ%NXCm~G?RZ(#PbFJxv*5l3>rxbP(u)fCI6=!w<nCgFT6x+TV;"
        "m!lXumP!*5OXQ?~562UM@<a_tlo57GR}q^k*`1P*I|k$$r_RZ9<eM_7?>ta+bmxUTZ;CuQ_Jw7cyA0r{d49uQXvMkPFb!3Um!MZ5"
        "i>ARL7l~Ag6qx6_kk!@lFUavta|xxv*5>mVn4MN%SF)iU$01g=T7Q$CxfNZ}wXl~LOlcy2el(iB;(f{HV(2=oqdIVOd?S@gI=DMz"
        "+dRZBnZE6hCpsfrHM<jonEA{fj8<KdoiYRI+j-CCy8oX2-E!Bj7txJFH^@g=#CqzI7CCAcr`Ez;p3SvY#|twZQsq?bb;xBDJ55Hl"
        ">iL+hSY+*R8%(~(J%LnfVJ2^5!H5#)M-7MRd+xSi%J}~c-7uV&LE#r-$|!}2Lw&?Qx^rw2($g$w&5+e}&8DOwA-;<(PVh|Wuk402"
        "t$B3i^oayP!HaHYp`Wyf>eac5Ew(5g{aL}CB&{?>q&Z9$F9cbqlxZJv%@I1I(3q3#(5$@2=Z8q1URtiA%P_7eJaJ$~y(Wlz(``J<"
        "#&?XD1x!?;w7Ct64Q{d*G^??~AUcPrZ!h2QkAEmE;;-9}l<$Qp*L!2p{#~!$F)WOU*UPKw7pXfJ5#7)uZu>e$o-=Ew-!o^f<3Zb#"
        "-p0Lll9vZs+3fSvE6Wc*Q@-k}-79Ccap(_Jq5*rfvi@cBLi;IOnvAN&l^etV!2H#?4oq13>9c3QLp&yDt(g-))Ylke$=YCaFjLGF"
        "4`jWU@N?Xi3Z8^B$u!}A%yI>e3oI%-fb{-Y@Q%n|bYE`|6g>az;A{U&RQ}ZN_PJNF8NEc6Ycgyz9~K{(1&yCzD7oSq36~_@i_L_8"
        "N`z#G;BQR&_IbY1?ziszeLwtw3;m;_Q)e}$*BuQFL7MsRuZ9B+ls2k7MUGia?a3>$p^p|diB)4Y{t5eoazisOm3tkZd6_b$`2t$#"
        "f=)toYhfsbN|hb^R6-@Cxr;}&*|LTG9q`19;l@8@^wu(7*_1z@sc-7r({Jim`9H??k9Yp+eYtk&zv5|@^8"
    ),
    "graphemeextend": (
        "c-lo$J7^VA5apbiyZ7$y`}xT~c|0|QB%1i5!TgLS1VZeLASf0FF@l0%qlGp>K^ujDim^~^Y!pH4gMtvWv(QEnj9?`MLBvLavm3#^"
        "&7He5=ggcl3(<w!^f%ZCfOcd$tv6IK?-`NM9jLaQNJrxs&59TTw^PRA-e%N>tU!Z8e8LWlX5|_zC1ESb5h#@uL6w3ui=8E4D;pzZ"
        "*@hk9T*4~GthQj4-3D){;solM=BU;K<X_y*5&mcCzzh@yj(}Ov7s4qpPW>UaA^V0(Fh-Z6GsYQ3WKe9ON=1uyjZnr*CojCVO9!i*"
        "AbbGR7=4C#k=t=elrbXtl=WZ@`wWyJN{ISoS?h^PS6pCC84V-v!wm;=$%ZJxXN1BPOx#qw#<uk)xdqJCo@jKI@4s8)NsWiOXnNbd"
        "g%0<?*3Ct9g_ac9C3R%-5uKPaAIO4Dxf^>;4APkjy$o2(RmAg$z^bcMDr@9t#aG}i-1VZ^@Y*ek$KbN+q+2Gdu2z{&2lNW|m3wTi"
        "L<Wq-V_Z5N!T}UG7@M9-oD`}_h6lzN8gk(`Oe%SCQ!xFIIiogqiAO^=ep6<{#=9-j_sprtE^XOw3(n>8&F6apcg?irFCbCHqV0;k"
        ")spTgH#eg6n@1~_YOrrjc|$$YXnh*o<w!Dob7LkW#W7r^?Z%*U(u8k4h{|t{7erodabtcd;GoXh_C381u6Fjb>5Fi`lPCoGs@{R5"
        "VwR!C_0o{;2`Hh_q5LlK*p#!m(|82`n;6$WqU+$#oZIaBDE_?v@T@+!fFJk^@oZ2="
    ),
    "hexdigit": "c-k}IVrP?LTltq6OalNB-vUS",
    "idcontinue": (
        "c-mc5O=w(I6y`hk+<V`<?{_BY%w&@JNivxxnItAnlQd~*la{6=QM;(E)rG}HE2v1Jy6UEuS}j@^A}$mwh!hlr3PS0wE?Pk;>cVc^"
        "6v35J+zBqkb7xvn@63Jo-FMDC-?`uUnRT|xK=lzg00dn|1K%i)Q*Gr#;S~^x+-TYK;|SgaG+hPSATuGN>Fz0lGK0*uNN@5f1mw_1"
        "$amApbdkMyrZ~iruE5$Yyb3QCC881pLotQ&&H-59Den5AV7Mpu#)$+~_DaEuGd7PDLMZg)TI?w(LdN7mEAJ0&dzrVbwC0{3a)J>v"
        "Eb1OcOsbf*{~`jUE>GlqS=79JwsJ8~0J)qIbS2K)?8&r0CD^e)GcQwMte`j}??qJ+A3;`>j9>-E5hW`+gWK-0H7fEflPA`~5jSOH"
        "Tm(PZp~d|uq7`C!(>zXXe}Fo;Ljvgo!!#jt_@7;dWqBST6^3b^A0wlFV=ADkw^U?HVJYhGdP(sU-f42f3XyrrcJ#VyAm-SOla8ji"
        "YND|r-iI1R#w7?+?8qKdt`NpA$GZZj<|xt~Qn|u*{T`E{w#)#%(V&HHKqX2NRKtl7WHXwhJ`5p2R+vp#*eZa13P=K(-npDum_uRW"
        "kN#g^!nk+YT^3nI!uj7{^EFljnZ!WzF}eB)-N7@3=4^hBZ_ck?{u~Ep=rXCH{#l{$%veaz(Gf<v#OT`@uS;Yq3Yeo-TvKalWExls"
        "Q*x%PHY$p8($2_zOc%9-R8r@xgx{G@o{Y;pcVYj1qUYN-);gB^=m)9);_$CjT&2bFnDabWR8dWh*U|T&vfR_EYn0SzjH+b5Br2sN"
        "XAdsC0h~uo&1Gmble+HcI<=$>^yC%c$F#V`<H622Le@>?2dml{U#GC-f{MW;(p4kLH02A1%B~zX*2KOmxvHtQcNtn0rnS%88YxDz"
        "rfQ=B>H~|S(U%lo+E|)T=9BTjnYPj>|0xEgByyv4Si-bJFx)6jZW}CzhZ=df$08Z9&Md$&2Q5N)kXdNJXc1$E_jdD8d~|lV(8&KT"
        "LP>8aLSJCoN<rwzN8k65-YU8Y)wZ<Qt*=X^xT{#Cuxv)wBuQO+SwQ=T1}S4_><#Qbxw$P6-UB&Wm*|ACTMuZ)?+5n<2sWkmHVQZz"
        "93Re{2{DZ@bCtUIl5Ti!rj!Q_<<dshF_}gHro=eiM>#BDLg^$rio@^QQ>XQJ5V|iFpUtiXdC7gy&|mY7g_YaM4Ymz9b693wDrYH_"
        "5(>BJzH4e)x!YK64$#2V7BAbvs`wh&@TcY0$cZz_J2svFa1VER`BWN7O=yu;`<A*;d_gBFv`*0vO?Q!JsC-Y+9<59ekgfB(P>~W&"
        "(WJlVC=U6i=-VdZZUb49st#lw5;i3<mBo*Q0r@rlHv`&nj+b~xfD|Q-?EBz6QoFc<0(E1h_YULqw34b|d_|4I%3U>i7oA&jxD?Pm"
        "f$$wY!!1O1;!$>2L&l(wqWqo6WSHIp-*39#9}d6ct_82)P>=?pQTVdzE(Z7RQ1hb^ygf}{tYr83<Gw5WbM$Rnf42YPb-H={=B4r9"
        "@i(qujbZ"
    ),
    "idstart": (
        "c-mD|OK4nG80P!WIrrRq=f3B0XC^auCYi}J^GIgWWX2|yc9N*2bWyQbjbKFu1r;eIJ6)(0MQUAi;X<*3NI^lUP^sBPPz0rPA+Fq%"
        "Qr#%s3a<R`Oe^Fb&N-a_{*Ui}Zj_C3A2uXZj2eCx((#lA@HP~PBwzr7-#MJYMVMEC7RYE5ZOurz*liGA1botD3qk-S)$I(5vlff0"
        "f`rAwaY<)X5jyCsj|3uU+Yh8kL<O)VAqC611mTel(~wg-rK`sFvm!{9Olc~W_bEo^f&7G)u(Xem!3qJ%KmZaXgm4O2HB$%(1j>Rv"
        "q6BhEu_uyD^C?U%v{U>_n4)N?NE8`5NUsk-j$ThSDiry&K^8~>d0EGC6U`a5)6F3;B>N#q3+XxtTPZtrag!h^4X30w@7e!fKGyi$"
        "nh%1rWQe~dg($02BBLWW>qVZ+{;W1QD_h&T&AJ}5Ys(3#Oiz|au{C@G&-O!el(=N~%FVX0o0L&q5^c%pA_29J@kc}kwRoGDel;3S"
        ";w``+$&fC)uXo|X4_{zQ9DGi!G35<NDkTxN|H=IUgCpupJvyQh#FoZ^bybRzr4=c8Rw_ILsk%59)(62`a(`uf>1%8)(IparO}Tzh"
        "qsI?f^fH~1@IsEdL|k3<4j(hP$S6~><5E@kD+m;9TcI5bm^nVgVMb1*(nJ&mWwdY%_RW}J>B8g0?o_{c%8BLjh0S|Jue7wIRGKcA"
        "abr?Wug(5N(U?XH&aT3HXmaUiw#7sZiH3tRvdra^H}}S)!;4fE%l*2WsFs~jlWRtGt{`g4rd%*roeca*@!h}0s&j*^f^8NJbl{B*"
        "#@S0VL9rcMwGCEm7i>1zI%3cmzGTm<ovNrdOjKq@{4eW9ub+Hq#a(fmt%?=@i;h8o5f;KKH$|ZnE#+roXShZLcd=e7H>+&iYzR05"
        "Pv+UdMubw9j!&wKG1<D`I?y5!9F?RgP8%2{X6p?jnG?w%$E5GjZ_DN&hofB=CuZjL9(udun#o}^S)}MQ|2dNmaf71*dqE?Q%u*K7"
        "$q?USwq{{I#By>zHP*_b#8rs8hq#x=J!Dzh#oU`X{jq-Oyt)OB)%(%&{xvf+N}tr!PjYXV+;R7$u7#(=BpL*=mRH$pV)0ju>m@4n"
        "PAP1<W5($z>-V+h+;cnbW$mqe`mmh1_a(PvmAjrN*9YQ4^r~`&rR_hLp2P|6__XOI97e9O!A)oKT}cNXSCqzY#K9=>=sUR0>)t!?"
        "^k`*p>@pT@9pHOPqTXFmxtmU#Tg=4Cg(hXuZB{7L%E6B~`iRDLOJXJsG+{DXkq%KgZ7gx0{@_braw0D$!zJWYDTF`F-M&fn&*t#q"
        "B7L*&-;<wbugE)@Us~#`&3A9m{?q>fMCOHu"
    ),
    "ideographic": (
        "c-jF@0I~muU;-Hl4g<vpz%xLAqyd1k0qz0<YKrOs0SyHS+c_j6UvmwT2M#lxKa2x}ngQU=0wA9v0gf#Ku{sa#1fmn31mX+JCIzZO"
        "hPML1Sh;o?v;"
    ),
    "idsbinaryoperator": "c-s3A&&0&_k(m(y4LJf+",
    "idstrinaryoperator": "c-s3E&jbJinE_M",
    "joincontrol": "c-rf6U;+RFDFDv",
    "logicalorderexception": "c-lK4!&=SyL6n(^@z+8oCMHHkCIB%11QG",
    "lowercase": (
        "c-qZWu}T9$5arG8?QSmdyhJ?A9!fMpqE{FQ+6aP$y`P}1y@iDk1i{`?uov6dSOo$p6o1Cb(%p?Ia=8#qIPkHz%$s3nhPk(UuJ_=B"
        "qp=2s`9L%HZ;mr^79(zV!)O$9i&>k93D9Kv$$Dg640A)0OTkC{gzAzuyfY*&FYyZEI*3gx;n}8$+O6583X6}NkTaT)J4F2`0sr#E"
        "P1*E(*~2mZAqx3dP{LOR!#yD7;DLnEEl6=PF5g&JSV9<H7)>+8MoUK7Cd#oHa=Z&Y2wFd~hf^9svHa&l(p4*MTan&>{_XI}^borp"
        "rwcXdkE@yw8Oy$DUdqEWZp5l}vKNsc5U0II$ddP@^hcq2hsFbnScU}k%|Bz<MbPov*U@WK>pY`&SRK4UYl({1+Gdd`>NM8lDuhmb"
        "KsWHQ4>^3;5M_@hln3qBQMbJH4WC{nYX"
    ),
    "math": (
        "c-l3NO-chn5QX_(Rd<q^WK6_?;5f!jRw9UG<IaHK3EX&^5Vwj)5XC#V@(4mUf(v)9yoELX6x~!+*H^FKA!D1-0!KJ=X1pg8yOQ0x"
        "-7aXX#28U|oyxQvIVMlr0jmJz9K94swhGRtWaRP#$f|DC_Z?la-@ufz_hK3ro;@}!1s?llKj}28)(5uH*-9%vu9ZLTjpq>Ok#N}g"
        ">+W@^`a`4Fwb{5@7nfWRpNE_?jCqeGu72dbFqpu4yoo32WR=^`xzixJQ^Y(X|E2){-v6WPJaqgAD3~M*y~#pf6Y8xEgKryU7`X"
    ),
    "noncharactercodepoint": "c-p)0n^~cch3VgaW{NNX;%FkH",
    "patternsyntax": ("c-m9s=VF&)VPuqIQDSFgWMl$i7Dg6EW=3&FdBz!b5*++Y!i-!SnJ%y{VEo1+_lBc^rGc@LnVChBpRsoqGgB)Q69DSf3Bd"),
    "patternwhitespace": "c-rG+6=F<b?67B&U;+RK=mBZ",
    "quotationmark": "c-m89WMOP(WaMYOW5*%M)Got#l9`2<dEp#pmc5KXsVF7@U=9W2",
    "radical": "c-m`-m12zKxyA?p3TXm0",
    "regionalindicator": "c-njRm|Y4025kZB",
    "sentenceterminal": (
        "c-kF~Ju5|V9DsYC-~Sxld)?dx84PB8f}7#2J^(iJE$f|SI7TUTGf>hY$D(v6vMOH#13OAya`FM5mjx#2@zCag7{g+GzzPta>2udn"
        "PO{9o$75V3<3=A%r`T5K;}#3631)4@)m&Ulml->r1mCZ)r%#QIUtM#PLu^9(_zC9~XunC-{9hEjP5aZzmeL&#({}7&PR|W-i%T8)"
        "uG!R}p`%RA<rl77h2zXs>k*bv*r85d$nFum^!WpJ&?}$"
    ),
    "softdotted": ("c-qTkI>N{}lZjD|(S%Wi@c<KJ5+fsHrxBwuBQGN}V+$kWTt>#F%#7C<nKp?rE<Ml2WP}5@2{MK-r!y8YNihNdV;>Ep"),
    "terminalpunctuation": (
        "c-lSA%PWL&7{&3v=Xu`Wdl|Q#EF>!nl$Dy4nwlbifXm8SS=iXAX%_EnWF@h1DNQseC7}^p{|7~~wV9^mwXr^@&pD%HKuN}PAffJ*"
        "nWqoz7RF2Pg{F&Sgk1Vgbp;;orM-~kfi0WU5oV0J)Rtc5rzjIPY>z~<YQ_vIwd*0f5xw}|noK2~n7W^6NA^baBQ0u`eQX!2F`y2d"
        "HH)UohPU|tSV6QCrf8(Rz@2nJsD>4Ph@%OABHr+t)ln#n<!GG?Y14Z2F1P-*Lbcorsf(86IyRdmkF=o6Eb45d94eO4a-B<!L-?5S"
        "U#i+Mn*"
    ),
    "unifiedideograph": "c-m{oIAHA1u!OO13nLRFBO?<RBZy>TzShn1;4G8Ed?m&{U8apz{O?#6DW6tjUF8G-Ot=l^",
    "uppercase": (
        "c-pm8y-ve05Y~78iIYHSi4;^<LM@;Qi6v5B05+b0H{d;B0VWn!7?>DX5Nu2=2!X`HV{}A<nX{7!6$M%X`Ob=bzTAEG`FvY;cL~7&"
        "^*~efS=<HrnIP%DtWjz6L%6v>00Pax=l>C?jerAi1X=3mjzYjd=V1vQgsZ%x?>Lm-HjT2WRN+75oX{+2_?Qmep<dL^Ne6m^#9h;z"
        "^$<4CV2q9oL&wF6G23#^iHhX`anW%3asdmabGsxNk%Da}xYqWnm1RY_!&ex=h~^VxJlXT>@4S*9Y=@KT-_8(Cl(8%nQT?>kmlavn"
        "gCrL5uIc6i_C8!c!rCcfEVvFbo*$hdy-oXjm*{VHAD&=6+=J!8o`yBPNHPd|?n0SR1U>tS<?f&qytO!J-lNjWT<j++$8D=wJ^&C="
        "BT4"
    ),
    "variationselector": "c-reWU}j|eaGF`*L#xRLMgStu1t|",
    "whitespace": "c-rG+6=F<blw!QE&G=u4Tb7BHQJ-;vJR<-t76aY",
    "xidcontinue": (
        "c-mc5O=w(I6y`hk+<V`<?{{X>naL#clXNo8ze&?1O<LNdr720&E^6z~!s4P8RHRT{6{MD0EVV8~Tqsr$DJTdPgwkDIw1QI9g<a^T"
        "2=1h~6I_Vr&ZMH=nfva$@0@$SbHDR5<7|zA+9PlP2)cqMzEK>f+RBH*t01KSqh-^Fqqq!cx(0MWW{ilZx~B-r3^3Oty}_ptkVA=("
        "@1c|F0(<dvagZZjg|(Y_9bPO-L}dtuVhZJ*1F*nT-1S4ja8K@y6A7y9#S<&e+B{MSq0p0Sv8SL28IudGyg#(<W!|>ZntOW42}aDY"
        "sCyVOsbbdtiwKaqJdyJiQS<iM%Ebg-?B<N1D{<atPp17T!H)fzIhg`u1;rV8FRH5e2(qGN1S>F(C|TAS+zyYeQI%(fJh2vzxFs9o"
        "BKW}$ZSF%6?GQ^F=5gxy12loVB#=HZOk*;K{@G<%lIKBEVVLImaWd*RrUGhuQ$@BMmZQF|mlQwYohCP=5Sgd#gkEz^#2mX(($OT>"
        "Of)jc`%$OJxCB9po!Mi`6~g$Hcz58`EJb>PRIac?zsF>#BQrp6G-<vYP>GTR)o>yN*^FkXgh3?83Nr}{TLrLB0ZAa!JC_p+b101c"
        "(f2D%822u_+ajw<IRE==y}_zKlNe||?jws6dIHZDS~K}MzBRXU<#QaIrYocd`(}j1Gb15APe&Q)BBQh`UX$2VC7oxf9oN-r8kr^*"
        "!<3w<sP(F%oU}7?Bh$s5Kq?StB>|lI<jJ_gvlk9LAbO!=W36Mkk={!FmxeCG{Dk5PEsQ#o=eeS)8WN$}Vg|33w(871qq+d3w#TSR"
        "9Z1?zI(+uf{F}ge)YWW;W-Dpv3EiN!6onqYDr}iHw|O+!6-UUriM_R|UGWVH%Py!Ij3Zq!l3J6#e5m3oVRKdNyRxg9T4%SR72#d`"
        "EUuGcwCbw9JwT&>K{QH9@#Xc!xnwRG4V>vHjmn>5PzoeBN{3}kIRrz^^7yuaN_e=LhkGrOe(TIU9COengol`g5^OJG#PGguR*H|#"
        "?h#7)-z6!@E`jsqrmd8Rj(jfoj?!C2H=+8b7Q2l#sT+3<3lvt&@T#P&>nsUq-{1gc?2NsMJtsG|1rmcmjy5DxVeHldn)dsF{Q-gv"
        "sl@dHjs;H*WzK|{LYTQ~Lwrfsy*HD}gNAZxBkPDvBLI_PoF1SO7BHrC5*@>l_wA|E`a1~Smx|A2*Mq$5K4|K%`R4rco#ZClCY(7U"
        "vmte~7)n8f+jQx=no{l#R$BekKe@?Ewy+|;MmGF;sXct+O!AIR=RVxaU0yzwwo(^br18F`E)-wXi3+V#^h3*C<Y}thSF~3v69i-%"
        "{4P|agj2NWFFJ<9zD4>bin!ZOR;9)RSqFtpNm6C;BcWe@&Hv4ScAn!!-Wec8StI*CIFHmWETcf(Sm}L3I6bALLKt6Bv#@+mjo-t>"
        "Z8=;H=)OSs{+{7BB0KgdyK5n1z(-O3PGmAnZ}G*@`~GnF9d|8w1&4yP3ys2;HFq(%f0tSx4dd-8`eHeIz#o^c@-NZ19sSvXi#O=j"
        "Q@1XS{*J!^2JDUD"
    ),
    "xidstart": (
        "c-mD|O=w(I6y`hk-gn=7^Zw`O%}i$AOfr*cCNs%Qnje!?+DW38(nZB$wSpBD6jY>;f(u1diXgErx^SUbL8PD{RA{N$MNkB#bRlkZ"
        "Q%ZFu*$S>a?@cS@zPb1D&fM>u@BD65jp_h4BvgzBeiqX4lm_rF6i5ib0Qf`!r?CU`D$oHLU81cCDd&1E!i#`UnruM`fTVslhw`LF"
        "tg$3vF*vU1oGL>Hv+FAY5wz_G(j=l1*piTfaV|l4WWzM%SWfBFkU(ApsgkiwrFfrW<R0KNS;A-^A(Lgsl8J!1Gkf8buw<qb5C~KS"
        "7?ePcC3c2nnNMMAp_}qo!W3mgMWW2qL3(`%xOzR+s8Ht9PJg6;qHN-riS~rr?iCOilKl{*g>)T+o%A~OaEl-*4X30o@5%qae5~=g"
        "H5~+J$Pj-^3Q<)jMNUU<-ith!{aI>pR<_RSF6(;CZY(6Ea(!7{iLK=)@a!NoR}z=(ezn~dcAIjlN1`h^T_m9PF#4Ftpbl>n<JF+$"
        "EZzc4k__px`}zW0_~8p|iG$CHHO6-Xl1fR0-G2&y!r+KHV~<ufg4ohH@LZLmVrfN6o-qWTfmA)53!B5>9l5tSy7UdU=IIiNz^1|="
        "Xwc(_EP9zvOL!qiT_Ub8d54cO5|pdiaiy*YH3SN_t<a4H%mN?cFf%7oX(Gyka#}bB`(|WZdhj^0+x0J>a$>n~adV&Om5z3lN^|8h"
        "Z)D~4+T;$5-w};yWyXF3<GRk)+ih-x+$uFhrj$g>K^1w%_~cE!`RMWv)y2Y~=_aaUC)DN&QnObOwPjn*m`hF$epZV2-(tzRNmj`="
        "%LZoQjSObpPxC^t9b1hJR&1ASHrZJ<Xarv}llp93)LSNM6D#~*-i=;A@zA2X=(amGEB+U=1_ee~3hUe=rP*k{I1xL`YeaD8nw4t1"
        "&c@A_fHU-DksWG9sO0HbR%^`3)`QN0hKb;)Bu#kQ&ZzLU{&FM>A{iD~^c@CW*&Y^fr03%J#I)W;|H7zYau7|1lzqN`&ZI-!?x?|@"
        "(I_G}pGR~e#0^X~EKG-3NY1CmIz?2tCeic|_lwv^p3yF*-omL*^h@W}ZE&nUh@SVanW0hnw4r{IyUWR4cUS60cq&YyVIUhtmA@wD"
        "e#NL+p-TUx!lpZ7o}RM)SZhx`x9wim-r{Eu%gnv6$U>cG0MD@x#l`4V<qAvNf6YIM<J|x02#|1?xyA;!pvmuAI{vsEG=3uvMui9A"
        "!EIjm-h-!C7KcYKW6stAzNaMW-xIZa>Fl}9mpHl5q%69_3T0Y3_z_1Q(YS6&Or(J(WOEkjNR{Kd6Zhp0R{A9~yv#;T$f;5Yf0(*+"
        "i<+NL;iEbFcHQ5XU*xaIySZOF>g&z-Z_?h={{e&fh6V"
    ),
}

SCRIPT_ALIASES: Final[dict[str, str]] = {
    "sc=adlm": "sc=adlam",
    "sc=aghb": "sc=caucasianalbanian",
    "sc=arab": "sc=arabic",
    "sc=armi": "sc=imperialaramaic",
    "sc=armn": "sc=armenian",
    "sc=avst": "sc=avestan",
    "sc=bali": "sc=balinese",
    "sc=bamu": "sc=bamum",
    "sc=bass": "sc=bassavah",
    "sc=batk": "sc=batak",
    "sc=beng": "sc=bengali",
    "sc=berf": "sc=beriaerfe",
    "sc=bhks": "sc=bhaiksuki",
    "sc=bopo": "sc=bopomofo",
    "sc=brah": "sc=brahmi",
    "sc=brai": "sc=braille",
    "sc=bugi": "sc=buginese",
    "sc=buhd": "sc=buhid",
    "sc=cakm": "sc=chakma",
    "sc=cans": "sc=canadianaboriginal",
    "sc=cari": "sc=carian",
    "sc=cher": "sc=cherokee",
    "sc=chrs": "sc=chorasmian",
    "sc=copt": "sc=coptic",
    "sc=cpmn": "sc=cyprominoan",
    "sc=cprt": "sc=cypriot",
    "sc=cyrl": "sc=cyrillic",
    "sc=deva": "sc=devanagari",
    "sc=diak": "sc=divesakuru",
    "sc=dogr": "sc=dogra",
    "sc=dsrt": "sc=deseret",
    "sc=dupl": "sc=duployan",
    "sc=egyp": "sc=egyptianhieroglyphs",
    "sc=elba": "sc=elbasan",
    "sc=elym": "sc=elymaic",
    "sc=ethi": "sc=ethiopic",
    "sc=gara": "sc=garay",
    "sc=geor": "sc=georgian",
    "sc=glag": "sc=glagolitic",
    "sc=gong": "sc=gunjalagondi",
    "sc=gonm": "sc=masaramgondi",
    "sc=goth": "sc=gothic",
    "sc=gran": "sc=grantha",
    "sc=grek": "sc=greek",
    "sc=gujr": "sc=gujarati",
    "sc=gukh": "sc=gurungkhema",
    "sc=guru": "sc=gurmukhi",
    "sc=han": "sc=hani",
    "sc=hang": "sc=hangul",
    "sc=hano": "sc=hanunoo",
    "sc=hatr": "sc=hatran",
    "sc=hebr": "sc=hebrew",
    "sc=hira": "sc=hiragana",
    "sc=hluw": "sc=anatolianhieroglyphs",
    "sc=hmng": "sc=pahawhhmong",
    "sc=hmnp": "sc=nyiakengpuachuehmong",
    "sc=hrkt": "sc=katakanaorhiragana",
    "sc=hung": "sc=oldhungarian",
    "sc=ital": "sc=olditalic",
    "sc=java": "sc=javanese",
    "sc=jurc": "sc=jurchen",
    "sc=kali": "sc=kayahli",
    "sc=kana": "sc=katakana",
    "sc=khar": "sc=kharoshthi",
    "sc=khmr": "sc=khmer",
    "sc=khoj": "sc=khojki",
    "sc=kits": "sc=khitansmallscript",
    "sc=knda": "sc=kannada",
    "sc=krai": "sc=kiratrai",
    "sc=kthi": "sc=kaithi",
    "sc=lana": "sc=taitham",
    "sc=lao": "sc=laoo",
    "sc=latn": "sc=latin",
    "sc=lepc": "sc=lepcha",
    "sc=limb": "sc=limbu",
    "sc=lina": "sc=lineara",
    "sc=linb": "sc=linearb",
    "sc=lyci": "sc=lycian",
    "sc=lydi": "sc=lydian",
    "sc=mahj": "sc=mahajani",
    "sc=maka": "sc=makasar",
    "sc=mand": "sc=mandaic",
    "sc=mani": "sc=manichaean",
    "sc=marc": "sc=marchen",
    "sc=medf": "sc=medefaidrin",
    "sc=mend": "sc=mendekikakui",
    "sc=merc": "sc=meroiticcursive",
    "sc=mero": "sc=meroitichieroglyphs",
    "sc=miao": "sc=plrd",
    "sc=mlym": "sc=malayalam",
    "sc=mong": "sc=mongolian",
    "sc=mro": "sc=mroo",
    "sc=mtei": "sc=meeteimayek",
    "sc=mult": "sc=multani",
    "sc=mymr": "sc=myanmar",
    "sc=nagm": "sc=nagmundari",
    "sc=nand": "sc=nandinagari",
    "sc=narb": "sc=oldnortharabian",
    "sc=nbat": "sc=nabataean",
    "sc=nko": "sc=nkoo",
    "sc=nshu": "sc=nushu",
    "sc=ogam": "sc=ogham",
    "sc=olck": "sc=olchiki",
    "sc=onao": "sc=olonal",
    "sc=orkh": "sc=oldturkic",
    "sc=orya": "sc=oriya",
    "sc=osge": "sc=osage",
    "sc=osma": "sc=osmanya",
    "sc=ougr": "sc=olduyghur",
    "sc=palm": "sc=palmyrene",
    "sc=pauc": "sc=paucinhau",
    "sc=pcun": "sc=protocuneiform",
    "sc=perm": "sc=oldpermic",
    "sc=phag": "sc=phagspa",
    "sc=phli": "sc=inscriptionalpahlavi",
    "sc=phlp": "sc=psalterpahlavi",
    "sc=phnx": "sc=phoenician",
    "sc=prti": "sc=inscriptionalparthian",
    "sc=qaac": "sc=coptic",
    "sc=qaai": "sc=inherited",
    "sc=rjng": "sc=rejang",
    "sc=rohg": "sc=hanifirohingya",
    "sc=runr": "sc=runic",
    "sc=samr": "sc=samaritan",
    "sc=sarb": "sc=oldsoutharabian",
    "sc=saur": "sc=saurashtra",
    "sc=sgnw": "sc=signwriting",
    "sc=shaw": "sc=shavian",
    "sc=shrd": "sc=sharada",
    "sc=sidd": "sc=siddham",
    "sc=sidt": "sc=sidetic",
    "sc=sind": "sc=khudawadi",
    "sc=sinh": "sc=sinhala",
    "sc=sogd": "sc=sogdian",
    "sc=sogo": "sc=oldsogdian",
    "sc=sora": "sc=sorasompeng",
    "sc=soyo": "sc=soyombo",
    "sc=sund": "sc=sundanese",
    "sc=sunu": "sc=sunuwar",
    "sc=sylo": "sc=sylotinagri",
    "sc=syrc": "sc=syriac",
    "sc=tagb": "sc=tagbanwa",
    "sc=takr": "sc=takri",
    "sc=tale": "sc=taile",
    "sc=talu": "sc=newtailue",
    "sc=taml": "sc=tamil",
    "sc=tang": "sc=tangut",
    "sc=tavt": "sc=taiviet",
    "sc=tayo": "sc=taiyo",
    "sc=telu": "sc=telugu",
    "sc=tfng": "sc=tifinagh",
    "sc=tglg": "sc=tagalog",
    "sc=thaa": "sc=thaana",
    "sc=tibt": "sc=tibetan",
    "sc=tirh": "sc=tirhuta",
    "sc=tnsa": "sc=tangsa",
    "sc=todr": "sc=todhri",
    "sc=tols": "sc=tolongsiki",
    "sc=tutg": "sc=tulutigalari",
    "sc=ugar": "sc=ugaritic",
    "sc=vai": "sc=vaii",
    "sc=vith": "sc=vithkuqi",
    "sc=wara": "sc=warangciti",
    "sc=wcho": "sc=wancho",
    "sc=xpeo": "sc=oldpersian",
    "sc=xsux": "sc=cuneiform",
    "sc=yezi": "sc=yezidi",
    "sc=yi": "sc=yiii",
    "sc=zanb": "sc=zanabazarsquare",
    "sc=zinh": "sc=inherited",
    "sc=zyyy": "sc=common",
    "sc=zzzz": "sc=unknown",
}
